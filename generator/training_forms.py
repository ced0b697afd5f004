"""What a person says of something that is to be taught."""

from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import Team, User
from generator.diffusion.train.defaults import FAMILIES
from generator.diffusion.train.scratch_spec import MAX_STEPS, SIZES
from generator.models import Checkpoint, Training, TrainingPicture
from generator.services import trainings
from generator.services.trainings import data_sets
from generator.services.trainings.planning import WORDS_FROM
from generator.services.trainings.running import MOST_STEPS

NUMBERS = ("steps", "rank", "seed")


class TrainingForm(forms.Form):
    """A name is enough; a subject also needs the kind of thing it is. The rest has defaults by model and pictures."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    noun = forms.CharField(
        label=gettext_lazy("What kind of thing it is"),
        max_length=60,
        help_text=gettext_lazy("One word that the model knows, such as bottle, shoe or dog."),
    )
    checkpoint = forms.ModelChoiceField(
        label=gettext_lazy("Model"),
        queryset=Checkpoint.objects.none(),
        empty_label=None,
        help_text=gettext_lazy(
            "What is taught works with this model and its relatives. Its licence holds for it as well."
        ),
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Way of teaching"),
        choices=Training.Method.of_teaching(),
        help_text=gettext_lazy(
            "LoRA learns more exactly; textual inversion makes a tiny file that forgets nothing else. All weights need "
            "much memory, and make a whole model of their own."
        ),
    )
    word = forms.CharField(
        label=gettext_lazy("Word in prompts"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Letters and numbers in one. Empty: from its name."),
    )
    steps = forms.IntegerField(
        label=gettext_lazy("Steps"),
        min_value=1,
        max_value=MOST_STEPS,
        required=False,
        help_text=gettext_lazy("Empty: what suits the model and the number of pictures."),
    )
    rank = forms.IntegerField(label=gettext_lazy("Rank of the LoRA"), min_value=1, max_value=512, required=False)
    seed = forms.IntegerField(label=gettext_lazy("Seed"), min_value=0, max_value=2**32 - 1, required=False)

    def __init__(self, *args: Any, kind: str, user: User, team: Team, **kwargs: Any) -> None:
        """Offers the models that `user` may use in `team` and that can be taught."""
        super().__init__(*args, **kwargs)
        offered = Checkpoint.objects.filter(family__in=[*FAMILIES]).offered_to(user, team)
        self.fields["checkpoint"].queryset = offered
        if kind == Training.Kind.STYLE:
            del self.fields["noun"]

    def wanted(self) -> dict[str, Any]:
        """As services.trainings.draft_training takes it."""
        values = dict(self.cleaned_data)
        changes = {name: values.pop(name) for name in NUMBERS}
        return {**values, "changes": {name: value for name, value in changes.items() if value is not None}}

    @staticmethod
    def values_of(training: Training) -> dict[str, Any]:
        """What stands in the form for a draft."""
        names = ("name", "noun", "method", "word")
        own = {name: getattr(training, name) for name in names}
        return {**own, **training.changes, "checkpoint": training.checkpoint_id}


class ScratchForm(forms.Form):
    """A model of nothing but a data set. A name and the set are enough."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    source = forms.ChoiceField(
        label=gettext_lazy("Data set"),
        help_text=gettext_lazy(
            "An import of yours, or an album: its pictures, each with its folder's name as its words."
        ),
    )
    people = forms.ChoiceField(
        label=gettext_lazy("People in them"),
        choices=[("", gettext_lazy("Choose")), *TrainingPicture.People.choices],
        help_text=gettext_lazy("Whose the pictures are was said when they were brought; this is kept with your name."),
    )
    size = forms.TypedChoiceField(
        label=gettext_lazy("Size"),
        coerce=int,
        choices=[(size, f"{size} px") for size in SIZES],
        help_text=gettext_lazy("Twice the size takes four times as long."),
    )
    phrase = forms.CharField(
        label=gettext_lazy("What is said of each"),
        max_length=200,
        required=False,
        initial="{}",
        help_text=gettext_lazy("{} stands for its own words, such as: an x-ray of {}."),
    )
    checkpoint = forms.ModelChoiceField(
        label=gettext_lazy("Words from"),
        queryset=Checkpoint.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("The model whose text encoder is taken over, unchanged."),
    )
    steps = forms.IntegerField(
        label=gettext_lazy("Steps"),
        min_value=1,
        max_value=MAX_STEPS,
        required=False,
        help_text=gettext_lazy("Empty: what suits the number of pictures."),
    )
    seed = forms.IntegerField(label=gettext_lazy("Seed"), min_value=0, max_value=2**32 - 1, required=False)

    def __init__(self, *args: Any, user: User, team: Team, **kwargs: Any) -> None:
        """Offers what `user` may learn from in `team`."""
        super().__init__(*args, **kwargs)
        self.sets = data_sets(user=user, team=team)
        counted = ngettext_lazy("%(name)s (%(n)d picture)", "%(name)s (%(n)d pictures)", "n")
        told = [(one.key, counted % {"name": one.name, "n": one.pictures}) for one in self.sets]
        self.fields["source"].choices = [("", _("Choose")), *told]
        offered = Checkpoint.objects.filter(family__in=WORDS_FROM).offered_to(user, team)
        self.fields["checkpoint"].queryset = offered
        self.fields["checkpoint"].initial = offered.first()

    def wanted(self) -> dict[str, Any]:
        """As services.trainings.draft_scratch takes it."""
        values = dict(self.cleaned_data)
        changes = {name: values.pop(name) for name in ("size", "steps", "seed")}
        return {**values, "changes": {name: value for name, value in changes.items() if value is not None}}


class ComparisonForm(forms.Form):
    """Which kept points are to draw one prompt, at which weights. All has a default."""

    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text=gettext_lazy("All pictures are of this, so that only point and weight differ."),
    )
    seed = forms.IntegerField(label=gettext_lazy("Seed"), min_value=0, max_value=2**32 - 1)
    points = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Points"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    weights = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Weights"), coerce=float, widget=forms.CheckboxSelectMultiple
    )
    batch = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, training: Training, **kwargs: Any) -> None:
        """Offers what `training` has kept; all of it and the usual weights are ticked."""
        super().__init__(*args, **kwargs)
        usual = trainings.usual_comparison(training)
        weights = trainings.weights_of(training)
        self.fields["points"].choices = [(step, _("Step %(n)d") % {"n": step}) for step in usual["points"]]
        self.fields["weights"].choices = [(weight, number_format(weight)) for weight in weights]
        if len(weights) == 1:
            self.fields["weights"].widget = forms.MultipleHiddenInput()
        self.initial = usual | self.initial

    @property
    def pictures(self) -> int:
        """How many pictures it asks for, as it is filled in."""
        points, weights = self["points"].value() or [], self["weights"].value() or []
        return min(len(points) * len(weights), trainings.MOST_COMPARED)

    def wanted(self) -> dict[str, Any]:
        """As services.trainings.compare_points takes it."""
        values = dict(self.cleaned_data)
        pk = values.pop("batch")
        return {**values, "pk": pk}


def files_of(uploaded: list[Any], most: int) -> list[Any]:
    """At most so many files at once. Raises forms.ValidationError."""
    if not uploaded:
        raise forms.ValidationError(_("Choose some pictures."))
    if len(uploaded) > most:
        raise forms.ValidationError(_("At most %(n)d pictures at once.") % {"n": most})
    return uploaded
