"""What people ask for on the Create page."""

from typing import Any

from django import forms
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.models import Media
from generator.diffusion.spec import MAX_GUIDANCE, MAX_STEPS, SCHEDULERS
from generator.formats import FORMATS
from generator.models import Checkpoint, Generation, StylePreset

MAX_PICTURES = 8
MAX_SEED = 2**32 - 1
MAX_LETTERS = 2000


def _whole(low: int, high: int, **options: Any) -> forms.IntegerField:
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
    count = _whole(1, MAX_PICTURES)
    steps = _whole(1, MAX_STEPS, required=False)

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
    seed = _whole(0, MAX_SEED, required=False)
    scheduler = forms.ChoiceField(choices=[("", ""), *SCHEDULERS.items()], required=False)
    visibility = forms.ChoiceField(choices=Media.Visibility, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offers what an administrator has switched on at this moment."""
        super().__init__(*args, **kwargs)
        self.fields["style"].queryset = StylePreset.objects.filter(is_enabled=True)

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
        return cleaned

    def arguments(self) -> dict[str, Any]:
        """What `services.create_generation` takes; what was left out there means the model's own."""
        wanted = dict(self.cleaned_data)
        return {name: value for name, value in wanted.items() if value or name not in {"scheduler", "visibility"}}


def values_of(generation: Generation, *, seed: bool) -> dict[str, Any]:
    """The composer's values that would ask for `generation` again, with or without its seed."""
    return {
        "prompt": generation.prompt,
        "negative_prompt": generation.negative_prompt,
        "style": generation.style.slug if generation.style else "",
        "format": generation.format,
        "checkpoint": generation.checkpoint.slug,
        "count": generation.count,
        "steps": generation.steps,
        "guidance": f"{generation.guidance:g}",
        "seed": generation.seed if seed else "",
        "scheduler": generation.scheduler,
    }


def as_fragment(generation: Generation) -> str:
    """What stands after # in the address of a Create page with these settings: prompts stay out of access logs."""
    return urlencode(values_of(generation, seed=True))
