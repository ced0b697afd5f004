"""What people ask for on the Edit page: one picture, and what is to become of it."""

import secrets
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team, User
from gallery.models import Media
from generator.diffusion.spec import MAX_GUIDANCE, MAX_SIDE, MAX_STEPS
from generator.diffusion.ways.spec import MAX_FEATHER, Margins
from generator.formats import FORMATS
from generator.forms import MAX_LETTERS, MAX_PICTURES, MAX_SEED, STRONGEST
from generator.models import Adapter, Checkpoint, StylePreset
from generator.services.scenes import LEAST_SCALE, MOST_SCALE, Placement
from generator.services.ways import MOST_MASK_BYTES

SIDES = ("left", "top", "right", "bottom")
NEAR = 0.25  # of the way to another seed's noise
FAR = 0.8  # of the steps are drawn anew


class Edit(models.TextChoices):
    """What can be done with a picture."""

    PART = "inpaint", gettext_lazy("Change a part")
    WHOLE = "image", gettext_lazy("Change the whole")
    SCENE = "scene", gettext_lazy("Place in a scene")
    GARMENT = "garment", gettext_lazy("Try a garment on")
    EXTEND = "outpaint", gettext_lazy("Extend")
    VARY = "vary", gettext_lazy("Vary")
    UPSCALE = "upscale", gettext_lazy("Enlarge")
    HIRES = "hires", gettext_lazy("Enlarge and refine")
    CUTOUT = "cutout", gettext_lazy("Remove the background")


WORDED = {Edit.PART, Edit.WHOLE, Edit.SCENE, Edit.GARMENT, Edit.EXTEND}  # those that go by a prompt
PAINTED = {Edit.PART, Edit.GARMENT}  # those that make anew what is painted over
MADE_AS = {Edit.SCENE: Media.Way.INPAINT, Edit.GARMENT: Media.Way.INPAINT}  # the others are ways of their own
CLOSELY = 0.8  # how much of a garment is taken over


class EditForm(forms.Form):
    """One edit of `source`. What is left empty is as it was when the picture was made."""

    way = forms.ChoiceField(choices=Edit.choices)
    prompt = forms.CharField(max_length=MAX_LETTERS, required=False)
    negative_prompt = forms.CharField(max_length=MAX_LETTERS, required=False)
    checkpoint = forms.ModelChoiceField(
        Checkpoint.objects.none(),
        to_field_name="slug",
        error_messages={"invalid_choice": gettext_lazy("This model cannot be chosen any more. Choose another one.")},
    )
    style = forms.ModelChoiceField(StylePreset.objects.none(), to_field_name="slug", required=False)
    count = forms.IntegerField(min_value=1, max_value=MAX_PICTURES, required=False)
    steps = forms.IntegerField(min_value=1, max_value=MAX_STEPS, required=False)
    guidance = forms.FloatField(min_value=0, max_value=MAX_GUIDANCE, required=False)
    seed = forms.IntegerField(min_value=0, max_value=MAX_SEED, required=False)
    strength = forms.FloatField(min_value=0.05, max_value=1, required=False)
    feather = forms.IntegerField(min_value=0, max_value=MAX_FEATHER, required=False)
    mask = forms.FileField(required=False)
    left = forms.IntegerField(min_value=0, max_value=MAX_SIDE, required=False)
    top = forms.IntegerField(min_value=0, max_value=MAX_SIDE, required=False)
    right = forms.IntegerField(min_value=0, max_value=MAX_SIDE, required=False)
    bottom = forms.IntegerField(min_value=0, max_value=MAX_SIDE, required=False)
    distance = forms.ChoiceField(choices=[("near", ""), ("far", "")], required=False)
    factor = forms.TypedChoiceField(choices=[(2, ""), (4, "")], coerce=int, required=False, empty_value=2)
    upscaler = forms.ModelChoiceField(
        Adapter.objects.none(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This upscaler cannot be chosen any more. Choose another one.")},
    )

    garment = forms.ModelChoiceField(
        Media.objects.none(),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This picture cannot be gone by. Choose another one.")},
    )
    garment_scale = forms.FloatField(min_value=0.05, max_value=STRONGEST, required=False)

    format = forms.ChoiceField(choices=[(item.slug, item.label) for item in FORMATS.values()], required=False)
    x = forms.FloatField(min_value=0, max_value=1, required=False)
    y = forms.FloatField(min_value=0, max_value=1, required=False)
    scale = forms.FloatField(min_value=LEAST_SCALE, max_value=MOST_SCALE, required=False)

    def __init__(self, *args: Any, source: Media, cutout: Media | None, user: User, team: Team, **kwargs: Any) -> None:
        """Offers what `user` may use in `team` at this moment. `cutout`: the picture without background, if there."""
        super().__init__(*args, **kwargs)
        self.source, self.cutout = source, cutout
        self.fields["checkpoint"].queryset = Checkpoint.objects.enabled()
        self.fields["garment"].queryset = Media.objects.reusable_by(user, team)
        self.fields["upscaler"].queryset = upscalers(user, team)
        self.fields["style"].queryset = StylePreset.objects.offered_to(team)

    def clean_mask(self) -> UploadedFile | None:
        """Refused by its size before anything reads it."""
        mask = self.cleaned_data["mask"]
        if mask and mask.size > MOST_MASK_BYTES:
            raise forms.ValidationError(_("The mask is too large."))
        return mask

    def clean(self) -> dict[str, Any]:
        """What the way needs is there."""
        cleaned = super().clean() or {}
        way, style, checkpoint = (cleaned.get(name) for name in ("way", "style", "checkpoint"))
        if way in WORDED and not cleaned.get("prompt") and "prompt" not in self.errors:
            self.add_error("prompt", _("Write what the picture should show."))
        if way in PAINTED and not cleaned.get("mask") and "mask" not in self.errors:
            self.add_error("mask", _("Paint over what is to be made anew."))
        if way == Edit.GARMENT and not cleaned.get("garment") and "garment" not in self.errors:
            self.add_error("garment", _("Choose the picture of the garment."))
        if way == Edit.SCENE and not self.cutout:
            self.add_error("way", _("Remove the background of the picture first."))
        if way == Edit.EXTEND and not any(cleaned.get(side) for side in SIDES):
            self.add_error("left", _("Say how far to extend the picture, at one side at least."))
        if style and checkpoint and checkpoint.family not in style.families:
            cleaned["style"] = None
        return cleaned

    def arguments(self) -> dict[str, Any]:
        """What `services.create_generation` takes. Pictures of what only one person sees stay so."""
        wanted = self.cleaned_data
        way = Edit(wanted["way"])
        used = [self.source, *([wanted["garment"]] if way == Edit.GARMENT else [])]
        is_private = any(one.visibility == Media.Visibility.PRIVATE for one in used)
        return {
            "way": MADE_AS.get(way, way.value),
            "source": self.cutout if way == Edit.SCENE else self.source,
            "checkpoint": wanted["checkpoint"],
            "visibility": Media.Visibility.PRIVATE if is_private else Media.Visibility.TEAM,
            **_own(way, wanted),
        }


def upscalers(user: User, team: Team) -> QuerySet[Adapter]:
    """What can enlarge pictures beside the network that ships."""
    return Adapter.objects.offered_to(user, team).filter(kind=Adapter.Kind.UPSCALER)


def _own(way: Edit, wanted: dict[str, Any]) -> dict[str, Any]:
    """What one way takes beyond the others."""
    if way in (Edit.UPSCALE, Edit.HIRES):
        return {"factor": wanted["factor"], "upscaler": wanted["upscaler"]}
    if way == Edit.CUTOUT:
        return {}
    seed = secrets.randbelow(MAX_SEED // 2) if wanted["seed"] is None else wanted["seed"]
    if way == Edit.VARY:
        by_distance = {"strength": FAR, "seed": seed}
        if wanted["distance"] != "far":
            by_distance = {"variation_amount": NEAR, "variation_seed": seed}
        return {"count": wanted["count"] or 4, **by_distance}
    names = ("prompt", "negative_prompt", "style", "count", "steps", "guidance", "strength")
    own = {name: wanted[name] for name in names} | {"seed": seed}
    if way in PAINTED:
        own |= {"mask": wanted["mask"], "feather": wanted["feather"]}
    if way == Edit.GARMENT:
        scale = CLOSELY if wanted["garment_scale"] is None else wanted["garment_scale"]
        own |= {"reference": wanted["garment"], "reference_scale": scale, "strength": 1.0}
    if way == Edit.SCENE:
        place = {name: wanted[name] for name in ("x", "y", "scale") if wanted[name] is not None}
        own |= {"placement": Placement(**place), "format": wanted["format"] or "square", "strength": 1.0}
    if way == Edit.EXTEND:
        own |= {"extend": Margins(**{side: wanted[side] or 0 for side in SIDES})}
    return own
