"""What an OpenAI client asks for, and the same in our words."""

import re
from typing import Any, Literal

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field

from accounts.models import Team, User
from generator.api.openai.errors import OpenAIError
from generator.formats import nearest_format
from generator.forms import MAX_PICTURES, GenerationForm
from generator.models import Checkpoint, StylePreset

MAX_N = 10
MAX_SIDE = 4096
# Their words for care, as a share of the model's own steps.
QUALITIES = {"low": 0.5, "medium": 1.0, "auto": 1.0, "standard": 1.0, "high": 1.5, "hd": 1.5}
MAX_STEPS = 150
TONES = frozenset({"vivid", "natural"})  # styles of their own models, which say nothing to ours


class ImagesIn(Schema):
    """A request for pictures. The last part is ours; clients send it as `extra_body`."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"model": "starter", "prompt": "a red apple, 3d icon", "size": "1024x1024", "seed": 7}]
        }
    }

    prompt: str = Field(min_length=1, max_length=2000)
    model: str | None = Field(None, description="short name of a model; without it the one chosen at first")
    n: int = Field(1, ge=1, le=MAX_N)
    size: str | None = Field("auto", description="WIDTHxHEIGHT, or auto: the model's own square")
    quality: str | None = Field("auto", description="low, medium or high: half, all, or half more of the usual steps")
    response_format: Literal["b64_json", "url"] | None = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] | None = "png"
    output_compression: int | None = Field(None, ge=0, le=100, description="quality of jpeg and webp")
    background: Literal["auto", "opaque", "transparent"] | None = "auto"
    stream: bool | None = False
    partial_images: int | None = Field(0, ge=0, le=MAX_STEPS, description="step previews while streaming")
    style: str | None = Field(None, description="short name of a style preset")
    moderation: str | None = Field(None, description="for their sake; says nothing here")
    user: str | None = Field(None, description="for their sake; says nothing here")

    negative_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    scheduler: str | None = None
    strength: float | None = Field(None, ge=0.05, le=1, description="of an edit without a mask: how far it may go")

    @property
    def pixels(self) -> tuple[int, int] | None:
        """(width, height) that was asked for; None for the model's own. OpenAIError for what is no size."""
        if self.size in (None, "", "auto"):
            return None
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", self.size)
        sides = (int(found[1]), int(found[2])) if found else (0, 0)
        if not all(16 <= side <= MAX_SIDE for side in sides):
            message = _("A size is “auto”, or WIDTHxHEIGHT with sides from 16 to %(n)d.") % {"n": MAX_SIDE}
            raise OpenAIError(400, message, param="size", code="invalid_size")
        return sides

    def checkpoint(self, user: User, team: Team) -> Checkpoint:
        """The model that draws. OpenAIError, as their clients know it, for one that `user` may not use in `team`."""
        offered = Checkpoint.objects.offered_to(user, team)
        found = (offered.filter(slug=self.model) if self.model else offered).first()
        if found is None:
            message = _("The model “%(name)s” does not exist or you have no access to it.") % {"name": self.model or ""}
            raise OpenAIError(404, message, param="model", code="model_not_found")
        return found

    def requests(self, user: User, team: Team) -> list[dict[str, Any]]:
        """What the services take: one request, or two for more pictures than one holds. OpenAIError for mistakes."""
        checkpoint = self.checkpoint(user, team)
        if self.background == "transparent":
            message = _("This model draws no transparent pictures. Leave `background` out, or make it “opaque”.")
            raise OpenAIError(400, message, param="background", code="unsupported_value")
        form = GenerationForm(self._values(checkpoint, min(self.n, MAX_PICTURES), team), team=team)
        if not form.is_valid():
            field, messages = next(iter(form.errors.items()))
            raise OpenAIError(400, str(messages[0]), param=field if field != "__all__" else None, code="invalid_value")
        asked = {name: value for name, value in form.arguments().items() if name != "visibility"}
        if self.pixels:
            asked["aspect"] = self.pixels
        rest = self.n - MAX_PICTURES
        if rest <= 0:
            return [asked]
        # A seed of one's own goes on over both, as it does over the pictures of one request.
        more = {} if self.seed is None else {"seed": self.seed + MAX_PICTURES}
        return [asked, {**asked, **more, "count": rest}]

    def _values(self, checkpoint: Checkpoint, count: int, team: Team) -> dict[str, Any]:
        quality = self.quality or "auto"
        if quality not in QUALITIES:
            message = _("The quality is one of: %(names)s.") % {"names": ", ".join(QUALITIES)}
            raise OpenAIError(400, message, param="quality", code="invalid_value")
        steps = self.steps or min(MAX_STEPS, max(1, round(checkpoint.default_steps * QUALITIES[quality])))
        style = None if self.style in TONES else self.style
        if style and not StylePreset.objects.offered_to(team).filter(slug=style).exists():
            message = _("There is no style “%(name)s”.") % {"name": style}
            raise OpenAIError(400, message, param="style", code="invalid_value")
        values = {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "checkpoint": checkpoint.slug,
            "style": style,
            "format": nearest_format(*self.pixels).slug if self.pixels else "square",
            "count": count,
            "steps": steps,
            "guidance": self.guidance,
            "seed": self.seed,
            "scheduler": self.scheduler,
        }
        return {name: value for name, value in values.items() if value is not None}
