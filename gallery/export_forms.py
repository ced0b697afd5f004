"""What people ask of an export, and of a team's own channel."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gallery.export.spec import PLACES, LogoLayer, TextLayer, Wishes
from gallery.models import Channel, Format

_LOGO_PLACES = [(place, place) for place in PLACES]
_FORMATS = [("", _("As each channel asks")), *Format.choices]
FILLED = {"naming": "{title}-{channel}-{n}", "text_colour": "#ffffff", "text_size": 8, "logo_size": 18}


class ExportForm(forms.Form):
    """Everything but the pictures, which a view looks up."""

    channel = forms.TypedMultipleChoiceField(coerce=int, error_messages={"required": _("Choose at least one channel.")})
    name = forms.CharField(label=_("Name of the export"), max_length=200, required=False)
    format = forms.ChoiceField(label=_("Format"), choices=_FORMATS, required=False)
    quality = forms.IntegerField(label=_("Quality"), min_value=1, max_value=100, required=False)
    max_kb = forms.IntegerField(label=_("At most kB a file"), min_value=1, max_value=100_000, required=False)
    naming = forms.CharField(label=_("File names"), max_length=200, required=False)
    enlarge = forms.BooleanField(required=False)
    credits = forms.BooleanField(required=False)
    focus = forms.JSONField(required=False)
    logo = forms.BooleanField(required=False)
    logo_place = forms.ChoiceField(choices=_LOGO_PLACES, required=False)
    logo_size = forms.IntegerField(min_value=3, max_value=60, required=False)
    text = forms.CharField(label=_("Words on the picture"), max_length=200, required=False, strip=True)
    text_place = forms.ChoiceField(choices=_LOGO_PLACES, required=False)
    text_size = forms.IntegerField(min_value=2, max_value=40, required=False)
    text_colour = forms.RegexField(r"#[0-9a-fA-F]{6}", required=False)
    text_shade = forms.RegexField(r"#[0-9a-fA-F]{6}", required=False)
    text_font = forms.CharField(max_length=40, required=False)

    def __init__(self, data: Any, *, channels: list[Channel]) -> None:
        super().__init__(data)
        self.fields["channel"].choices = [(channel.pk, channel.name) for channel in channels]

    def clean_focus(self) -> dict[str, tuple[float, float]]:
        """Points by "media:channel", as the page's script keeps them."""
        points = self.cleaned_data["focus"] or {}
        try:
            return {str(key)[:80]: (_share(x), _share(y)) for key, (x, y) in list(points.items())[:5000]}
        except (TypeError, ValueError, AttributeError) as error:
            raise ValidationError(_("Reload the page and place the crops once more.")) from error

    def wishes(self, media: list[str]) -> Wishes:
        """As the services take it."""
        wanted = self.cleaned_data
        return Wishes(
            media=tuple(media),
            channels=tuple(wanted["channel"]),
            format=wanted["format"],
            quality=wanted["quality"],
            max_kb=wanted["max_kb"],
            naming=wanted["naming"] or FILLED["naming"],
            enlarge=wanted["enlarge"],
            credits=wanted["credits"],
            focus=wanted["focus"],
            logo=self._logo() if wanted["logo"] else None,
            text=self._text() if wanted["text"] else None,
        )

    def _logo(self) -> LogoLayer:
        wanted = self.cleaned_data
        return LogoLayer(place=wanted["logo_place"] or LogoLayer.place, size=wanted["logo_size"] or LogoLayer.size)

    def _text(self) -> TextLayer:
        wanted = self.cleaned_data
        return TextLayer(
            text=wanted["text"],
            place=wanted["text_place"] or TextLayer.place,
            size=wanted["text_size"] or TextLayer.size,
            colour=wanted["text_colour"] or TextLayer.colour,
            shade=wanted["text_shade"],
            font=wanted["text_font"],
        )

    def first_error(self) -> str:
        """One sentence, with the field that it is about where that is not plain."""
        for name, messages in json.loads(self.errors.as_json()).items():
            label = self.fields[name].label if name in self.fields else ""
            return f"{label}: {messages[0]['message']}" if label else str(messages[0]["message"])
        return ""


def _share(value: Any) -> float:
    return min(max(float(value), 0.0), 1.0)


class FocusForm(forms.Form):
    """A point of a picture for one channel's crop."""

    media = forms.UUIDField()
    channel = forms.IntegerField()
    x = forms.FloatField(min_value=0, max_value=1)
    y = forms.FloatField(min_value=0, max_value=1)


class ChannelForm(forms.ModelForm):
    """A channel of a team's own."""

    class Meta:
        model = Channel
        fields = ["name", "width", "height", "format", "quality", "max_kb", "dpi"]
        fields += ["safe_top", "safe_bottom", "safe_sides"]

    def clean(self) -> dict[str, Any]:
        """A size has both of its numbers."""
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("width") and cleaned.get("height")):
            raise ValidationError(_("Say how wide and how high, in pixels."))
        return cleaned
