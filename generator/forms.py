"""What people ask for on the Create page, and of the queue."""

from typing import Any

from django import forms
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team, User
from accounts.roles import Action
from gallery.models import Media
from generator.batches.matrix import escape
from generator.diffusion.spec import MAX_GUIDANCE, MAX_STEPS, SCHEDULERS
from generator.formats import FORMATS
from generator.models import Adapter, Checkpoint, Generation, Hold, Job, StylePreset, Worker
from generator.services.assets import WORN, choose_adapters
from generator.services.guides import STYLE
from generator.services.refused import Refused

# What can be taken over from a picture that is gone by.
GUIDES = {**dict(Adapter.Structure.choices), STYLE: gettext_lazy("Subject and style")}
STRONGEST = 2.0
LORA = Adapter.Kind.LORA
MAX_PICTURES = 8
MAX_SEED = 2**32 - 1
MAX_LETTERS = 2000


def whole(low: int, high: int, **options: Any) -> forms.IntegerField:
    """A field for a number, which says between what it lies where it does not."""
    return forms.IntegerField(min_value=low, max_value=high, error_messages=_between(low, high), **options)


def _between(low: float, high: float) -> dict[str, Any]:
    words = format_lazy(gettext_lazy("A number from {low} to {high}."), low=f"{low:.10g}", high=f"{high:.10g}")
    return {"invalid": words, "min_value": words, "max_value": words}


class SizeForm(forms.Form):
    """What decides how long a request takes. No prompt: an estimate is asked for in an address."""

    checkpoint = forms.ModelChoiceField(
        Checkpoint.objects.none(),
        to_field_name="slug",
        error_messages={
            "required": gettext_lazy("Choose a model."),
            "invalid_choice": gettext_lazy("This model cannot be chosen any more. Choose another one."),
        },
    )
    format = forms.ChoiceField(choices=[(item.slug, item.label) for item in FORMATS.values()])
    count = whole(1, MAX_PICTURES)
    steps = whole(1, MAX_STEPS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offers what an administrator has switched on at this moment."""
        super().__init__(*args, **kwargs)
        self.fields["checkpoint"].queryset = Checkpoint.objects.enabled()


class GenerationForm(SizeForm):
    """The composer. An empty number means the model's own; an empty seed is drawn anew each time."""

    prompt = forms.CharField(
        max_length=MAX_LETTERS,
        error_messages={"required": gettext_lazy("Write what the picture should show.")},
    )
    negative_prompt = forms.CharField(max_length=MAX_LETTERS, required=False)
    style = forms.ModelChoiceField(
        StylePreset.objects.none(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This style cannot be chosen any more. Choose another one.")},
    )
    guidance = forms.FloatField(
        min_value=0, max_value=MAX_GUIDANCE, required=False, error_messages=_between(0, MAX_GUIDANCE)
    )
    seed = whole(0, MAX_SEED, required=False)
    scheduler = forms.ChoiceField(choices=[("", ""), *SCHEDULERS.items()], required=False)
    visibility = forms.ChoiceField(choices=Media.Visibility, required=False)
    source = forms.ModelChoiceField(
        Media.objects.none(),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("This picture cannot be started from. Choose another one."),
        },
    )
    strength = forms.FloatField(min_value=0.05, max_value=1, required=False, error_messages=_between(0.05, 1))
    reference = forms.ModelChoiceField(
        Media.objects.none(),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This picture cannot be gone by. Choose another one.")},
    )
    reference_as = forms.ChoiceField(choices=[("", ""), *GUIDES.items()], required=False)
    reference_scale = forms.FloatField(
        min_value=0.05, max_value=STRONGEST, required=False, error_messages=_between(0.05, STRONGEST)
    )
    adapters = forms.CharField(max_length=400, required=False)  # "slug:weight,slug:weight", see adapters.js

    def __init__(self, *args: Any, team: Team | None, user: User | None = None, **kwargs: Any) -> None:
        """Offers what an administrator, and for styles `team`, has switched on; pictures as far as `user` may."""
        super().__init__(*args, **kwargs)
        self.team = team
        if user and team:
            for name in ("source", "reference"):
                self.fields[name].queryset = Media.objects.reusable_by(user, team)
        self.fields["style"].queryset = StylePreset.objects.offered_to(team)

    def clean(self) -> dict[str, Any]:
        """A style must suit the model: otherwise it would silently not show. So must a scheduler, or it draws noise."""
        cleaned = super().clean()
        style, checkpoint, scheduler = (cleaned.get(name) for name in ("style", "checkpoint", "scheduler"))
        if checkpoint and scheduler and not checkpoint.suits(scheduler):
            self.add_error(
                "scheduler",
                _("%(model)s does not work with %(scheduler)s. Choose another scheduler.")
                % {"model": checkpoint, "scheduler": SCHEDULERS[scheduler]},
            )
        if style and checkpoint and checkpoint.family not in style.families:
            self.add_error(
                "style",
                _("%(model)s cannot draw the style “%(style)s”. Choose another style or model.")
                % {"model": checkpoint, "style": style},
            )
        if cleaned.get("reference") and not cleaned.get("reference_as") and "reference_as" not in self.errors:
            self.add_error("reference_as", _("Choose what to take over from the picture."))
        if checkpoint:
            cleaned["adapters"] = self._adapters(checkpoint, cleaned.get("adapters", ""))
        return cleaned

    def _adapters(self, checkpoint: Checkpoint, text: str) -> list[dict[str, Any]]:
        """The LoRAs that were ticked; whether the person may use them, the service says."""
        parts = [part.partition(":") for part in text.split(",") if part]
        try:
            wanted = {slug: float(weight) if weight else None for slug, _colon, weight in parts}
            known = (
                Adapter.objects.enabled().filter(kind__in=WORN).in_bulk([*wanted], field_name="slug") if wanted else {}
            )
            if known.keys() != wanted.keys():
                raise Refused(_("One of the LoRAs cannot be chosen any more. Choose again."))
            chosen = [(known[slug], weight) for slug, weight in wanted.items()]
            return choose_adapters(checkpoint=checkpoint, chosen=chosen)
        except ValueError:
            self.add_error("adapters", _("The weight of a LoRA is a number."))
        except Refused as refusal:
            self.add_error("adapters", str(refusal))
        return []

    def arguments(self) -> dict[str, Any]:
        """What `services.create_generation` takes; what was left out there means the model's own."""
        wanted = {name: value for name, value in self.cleaned_data.items() if name != "draw"}
        picture, guide, scale = (wanted.pop(name, None) for name in ("reference", "reference_as", "reference_scale"))
        if picture:
            kind = {} if guide == STYLE else {"structure_kind": guide}
            part = "structure" if kind else "reference"
            wanted |= {"way": Media.Way.REFERENCE, part: picture, f"{part}_scale": scale, **kind}
        if wanted.pop("source", None):
            wanted |= {"way": Media.Way.IMAGE, "source": self.cleaned_data["source"]}
        else:
            wanted.pop("strength", None)
        return {name: value for name, value in wanted.items() if value or name not in {"scheduler", "visibility"}}


def values_of(generation: Generation, *, seed: bool) -> dict[str, Any]:
    """The composer's values that would ask for `generation` again, with or without its seed."""
    return {
        "prompt": escape(generation.prompt),
        "negative_prompt": generation.negative_prompt,
        "style": generation.style.slug if generation.style else "",
        "format": generation.format,
        "checkpoint": generation.checkpoint.slug,
        "count": generation.count,
        "steps": generation.steps,
        "guidance": f"{generation.guidance:g}",
        "seed": generation.seed if seed else "",
        "scheduler": generation.scheduler,
        **_start_of(generation),
        **_reference_of(generation),
        "adapters": ",".join(f"{one['slug']}:{one['weight']:g}" for one in generation.adapters if one["kind"] == LORA),
    }


def _start_of(generation: Generation) -> dict[str, Any]:
    """The picture that the composer starts from; "" takes one away that is chosen there."""
    if generation.way != Media.Way.IMAGE or not generation.source_id:
        return {"source": ""}
    return {"source": generation.source_id, "strength": f"{generation.strength:g}"}


def _reference_of(generation: Generation) -> dict[str, Any]:
    """The picture that the composer goes by; "" takes one away that is chosen there."""
    for picture, guide, scale in (
        (generation.structure_id, generation.structure_kind, generation.structure_scale),
        (generation.reference_id, STYLE, generation.reference_scale),
    ):
        if picture:
            return {"reference": picture, "reference_as": guide, "reference_scale": f"{scale:g}"}
    return {"reference": ""}


def as_fragment(generation: Generation) -> str:
    """What stands after # in the address of a Create page with these settings: prompts stay out of access logs."""
    return urlencode(values_of(generation, seed=True))


class MoveForm(forms.Form):
    """Before which job another is to stand; empty: behind all of them."""

    before = forms.ModelChoiceField(Job.objects.none(), required=False)

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        """Knows the jobs that `viewer` sees."""
        super().__init__(*args, **kwargs)
        self.fields["before"].queryset = Job.objects.visible_to(viewer)


class HoldForm(forms.Form):
    """What is to stop, and why."""

    NEEDS = {Hold.Scope.TEAM: ["team"], Hold.Scope.PERSON: ["team", "person"], Hold.Scope.WORKER: ["worker"]}

    scope = forms.ChoiceField(choices=Hold.Scope.choices)
    team = forms.ModelChoiceField(Team.objects.none(), required=False)
    person = forms.ModelChoiceField(User.objects.all(), required=False)
    worker = forms.ModelChoiceField(Worker.objects.all(), required=False)
    reason = forms.CharField(max_length=200, required=False)
    drain = forms.BooleanField(required=False)

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        """Knows the teams that `viewer` is in."""
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.where(viewer, Action.VIEW)

    def clean(self) -> dict[str, Any]:
        """A target for the scope, and a person who ever asked for something in that team."""
        cleaned = super().clean() or {}
        for name in self.NEEDS.get(cleaned.get("scope"), []):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, gettext_lazy("Choose one."))
        team, person = cleaned.get("team"), cleaned.get("person")
        if team and person and not team.queue_accounts.filter(user=person).exists():
            self.add_error("person", gettext_lazy("Nobody of that name waits in this team."))
        return cleaned
