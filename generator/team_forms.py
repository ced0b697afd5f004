"""What a team fills in about the ways it makes pictures: its styles, word lists and prompt templates."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generator.batches.matrix import WILDCARD
from generator.catalogue import SD_FAMILIES
from generator.models import Checkpoint
from generator.models.words import MOST_WORDS, NAME, slots

LONGEST_WORD = 100


def families() -> list[tuple[str, str]]:
    """(family, label) of every family of models known here, those with a model that is switched on first."""
    installed: dict[str, list[str]] = {}
    for checkpoint in Checkpoint.objects.enabled():
        installed.setdefault(checkpoint.family, []).append(checkpoint.name)
    here = [(family, f"{family} · {', '.join(names)}") for family, names in installed.items()]
    return here + [(family, family) for family in SD_FAMILIES if family not in installed]


class StyleForm(forms.Form):
    """A style of the team."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    template = forms.CharField(
        label=gettext_lazy("Words around the prompt"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "{prompt} stands for what the person writes; without it these words come after a comma."
        ),
    )
    negative = forms.CharField(
        label=gettext_lazy("Negative prompt"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("What pictures in this style should not have."),
    )
    families = forms.MultipleChoiceField(
        label=gettext_lazy("Models that draw it well"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("The style is offered with models of these families only."),
        error_messages={"required": gettext_lazy("Choose at least one family of models.")},
    )
    sample_prompt = forms.CharField(
        label=gettext_lazy("What the sample picture shows"),
        max_length=200,
        initial=gettext_lazy("a red apple"),
        help_text=gettext_lazy("The sample is drawn when you save: one picture of yours."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Knows the families of this moment, and those that the style names already."""
        super().__init__(*args, **kwargs)
        known = families()
        kept = [name for name in self.initial.get("families", []) if name not in dict(known)]
        self.fields["families"].choices = known + [(name, name) for name in kept]


class WordsForm(forms.Form):
    """One word list."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        validators=[RegexValidator(rf"^{NAME}\Z", gettext_lazy("Small letters, digits and single hyphens."))],
        widget=forms.TextInput(attrs={"placeholder": "colour", "autocapitalize": "none"}),
    )
    words = forms.CharField(
        label=gettext_lazy("Words, one a line"),
        max_length=MOST_WORDS * LONGEST_WORD,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def clean_words(self) -> list[str]:
        """Each once, in their order."""
        lines = (line.strip() for line in self.cleaned_data["words"].splitlines())
        words = list(dict.fromkeys(line for line in lines if line))
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(_("At most %(most)d words.") % {"most": MOST_WORDS})
        for word in words:
            if len(word) > LONGEST_WORD:
                raise forms.ValidationError(_("“%(word)s…” is too long.") % {"word": word[:40]})
            if WILDCARD.search(word):
                raise forms.ValidationError(_("“%(word)s” names a list; lists do not nest.") % {"word": word})
        return words


class TemplateForm(forms.Form):
    """One prompt template."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "product photo of [product] on [surface], [light]"}),
        help_text=gettext_lazy("What stands in square brackets is asked for: [product], [light]."),
    )

    def clean_text(self) -> str:
        """A template without gaps is a prompt: those are saved from the history."""
        text = self.cleaned_data["text"]
        if not slots(text):
            raise forms.ValidationError(_("Put at least one gap in square brackets, such as [product]."))
        return text
