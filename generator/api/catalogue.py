"""What pictures can be made with: the models, styles and formats that a team is offered."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from accounts.api.asking import team_asked
from accounts.models import Team, User
from accounts.prepared import Prepared
from generator import services
from generator.diffusion.spec import SCHEDULERS
from generator.formats import FORMATS
from generator.models import Checkpoint, StylePreset

router = Router(tags=["catalogue"])


class LicenceOut(BaseModel):
    """What the maker of a model allows."""

    name: str
    url: str
    commercial_use: str = Field(description="yes, conditional or no")
    attribution: str
    must_accept: bool = Field(description="somebody of each team has to accept it before its first use there")
    is_accepted: bool = Field(description="nothing is left to be accepted")


class ModelOut(BaseModel):
    """A model that may be chosen: `slug` is what requests call `checkpoint`."""

    slug: str
    name: str
    family: str
    is_default: bool
    native_size: int = Field(description="edge, in pixels, of the square that it was trained on")
    steps: int
    guidance: float
    scheduler: str
    schedulers: list[str] = Field(description="those that it draws well with")
    ways: list[str] = Field(description="in which ways it makes pictures here")
    structures: list[str] = Field(description="what of a picture it can follow: edges, depth …")
    guides: list[str] = Field(description="what requests may name as `reference_as`: structures, style")
    triggers: list[str] = Field(description="words that it was trained on")
    licence: LicenceOut

    @classmethod
    def of(cls, checkpoint: Checkpoint, team: Team, guides: list[str]) -> "ModelOut":
        """As `team` may use it; `guides` are what can be taken over from a picture with it."""
        plain = {name: getattr(checkpoint, name) for name in _SAME}
        return cls(
            **plain,
            steps=checkpoint.default_steps,
            guidance=checkpoint.default_guidance,
            scheduler=checkpoint.default_scheduler,
            schedulers=[name for name in SCHEDULERS if checkpoint.suits(name)],
            ways=[way.value for way in services.ways_of(guides)],
            structures=[guide for guide in guides if guide != services.STYLE],
            guides=guides,
            licence=LicenceOut(
                name=checkpoint.licence_name,
                url=checkpoint.licence_url,
                commercial_use=checkpoint.commercial_use,
                attribution=checkpoint.attribution,
                must_accept=checkpoint.must_accept,
                is_accepted=not checkpoint.must_accept or services.is_accepted(checkpoint, team),
            ),
        )


_SAME = ("slug", "name", "family", "is_default", "native_size", "triggers")


class StyleOut(BaseModel):
    """Words that need not be written each time. `{prompt}` in the template stands for what was written."""

    slug: str
    name: str
    version: int
    template: str
    negative: str
    families: list[str] = Field(description="of models that draw it well; others are refused")
    team: UUID | None = Field(description="whose it is; null: every team is offered it")


class FormatOut(BaseModel):
    """Proportions. How many pixels they are, the model's native size says."""

    slug: str
    name: str
    ratio: str
    width: int
    height: int


class PresetsOut(BaseModel):
    """What requests may name as `style` and `format`."""

    styles: list[StyleOut]
    formats: list[FormatOut]


_OFFERED: Prepared[Checkpoint] = Prepared(
    lambda user, team: Checkpoint.objects.offered_to(user, team), user=User, team=Team
)


@router.get("/models", response=list[ModelOut], summary="Models")
def models(request: HttpRequest, team: UUID | None = None) -> list[ModelOut]:
    """Those that the caller may use in the team, the one chosen at first before the others."""
    found = team_asked(request, team)
    offered = _OFFERED.rows(user=request.user, team=found)
    guides = services.guides_of_each(offered, request.user, found)
    return [ModelOut.of(checkpoint, found, guides[checkpoint.slug]) for checkpoint in offered]


@router.get("/presets", response=PresetsOut, summary="Styles and formats")
def presets(request: HttpRequest, team: UUID | None = None) -> PresetsOut:
    """The styles that the team is offered, its own among them, and the formats."""
    styles = [_style(style) for style in StylePreset.objects.offered_to(team_asked(request, team))]
    formats = [
        FormatOut(slug=one.slug, name=str(one.label), ratio=one.ratio, width=one.wide, height=one.high)
        for one in FORMATS.values()
    ]
    return PresetsOut(styles=styles, formats=formats)


def _style(style: StylePreset) -> StyleOut:
    plain = ("slug", "name", "version", "template", "negative", "families")
    return StyleOut(team=style.team_id, **{name: getattr(style, name) for name in plain})
