"""Pictures made ready for channels: ask, watch, fetch."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema, Status

from accounts.api.asking import BINARY, Asked, Once, asked, team_asked, team_of
from accounts.services import once
from gallery import services
from gallery.export.encode import TYPES
from gallery.export.spec import LogoLayer, TextLayer, Wishes
from gallery.models import Channel, Export
from gallery.views import exports as pages

router = Router(tags=["exports"])


Share = Annotated[float, Field(ge=0, le=1)]
# For the description: ninja knows no schema of bytes.
_FILE = {kind: {"schema": BINARY} for kind in (*TYPES.values(), "application/zip")}
_BYTES = {
    200: {"description": "the file", "content": _FILE},
    206: {"description": "the part that `Range` asks for", "content": _FILE},
    302: {"description": "where a store has it"},
    416: {"description": "it has no such part"},
}


class ChannelOut(Schema):
    """A place where pictures go. Without a size: the whole picture."""

    id: int
    slug: str
    name: str
    width: int | None
    height: int | None
    format: str
    quality: int
    max_kb: int | None
    dpi: int | None
    safe_top: int
    safe_bottom: int
    safe_sides: int


class LogoIn(Asked):
    """The team's logo on every picture. `size`: percent of the picture's shorter side."""

    place: str = LogoLayer.place
    size: int = LogoLayer.size
    opacity: int = Field(100, ge=1, le=100)


class TextIn(Asked):
    """Words on every picture. `font`: the id of one of the team's."""

    text: str = Field(max_length=200)
    place: str = TextLayer.place
    size: int = TextLayer.size
    colour: str = TextLayer.colour
    shade: str = ""
    font: str = ""


class ExportIn(Asked):
    """What is wanted. `format`, `quality` and `max_kb` stand above what each channel asks for."""

    media: list[UUID] = Field(min_length=1, max_length=services.MOST_FILES)
    channels: list[str] = Field(min_length=1, description="slugs, from GET /channels")
    name: str = Field("", max_length=200)
    format: str = ""
    quality: int | None = None
    max_kb: int | None = None
    naming: str = Wishes.naming
    enlarge: bool = False
    credits: bool = True
    focus: dict[str, tuple[Share, Share]] = Field(
        default_factory=dict, description='"media id:channel slug" → the point, in shares of the sides, that stays in'
    )
    logo: LogoIn | None = None
    text: TextIn | None = None
    team: UUID | None = None


class ExportOut(Schema):
    """How far it is. `file` is there when `state` is "done", until `expires`."""

    id: UUID
    name: str
    state: str
    done: int
    total: int
    reason: str
    notes: list[str]
    bytes: int
    sha256: str
    created: datetime
    expires: datetime
    file: str | None

    @classmethod
    def of(cls, export: Export) -> "ExportOut":
        """A row as clients see it."""
        plain = [name for name in cls.model_fields if name != "file"]
        there = f"/api/v1/exports/{export.pk}/file" if export.state == Export.State.DONE else None
        return cls(file=there, **{name: getattr(export, name) for name in plain})


@router.get("/channels", response=list[ChannelOut], summary="Where pictures can go")
def channels(request: HttpRequest, team: UUID | None = None) -> list[Channel]:
    """Those of every installation, and the team's own."""
    return list(Channel.objects.for_team(team_asked(request, team)))


@router.get("/exports", response=list[ExportOut], summary="My exports")
def exports(request: HttpRequest) -> list[ExportOut]:
    """All that can still be fetched, the newest first."""
    found = Export.objects.visible_to(request.user).kept()
    return [ExportOut.of(export) for export in found[:100]]


@router.post("/exports", response=ExportOut, summary="Prepare an export")
def create(request: HttpRequest, wanted: ExportIn, idempotency_key: Once = None) -> ExportOut:
    """A worker prepares it: ask for it again, or listen for `export.changed`."""

    def make() -> str:
        team = team_of(request, wanted.team)
        known = dict(Channel.objects.for_team(team).values_list("slug", "pk"))
        wishes = Wishes(
            media=tuple(str(pk) for pk in wanted.media),
            channels=tuple(known.get(slug, 0) for slug in wanted.channels),  # 0: none, which the service refuses
            focus=_by_number(wanted.focus, known),
            logo=LogoLayer(**wanted.logo.dict()) if wanted.logo else None,
            text=TextLayer(**wanted.text.dict()) if wanted.text else None,
            **wanted.dict(include={"format", "quality", "max_kb", "naming", "enlarge", "credits"}),
        )
        return str(services.create_export(user=request.user, team=team, wishes=wishes, name=wanted.name).pk)

    made = once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return ExportOut.of(_own(request, UUID(made)))


@router.get("/exports/{pk}", response=ExportOut, summary="An export")
def export(request: HttpRequest, pk: UUID) -> ExportOut:
    """How far it is."""
    return ExportOut.of(_own(request, pk))


@router.get("/exports/{pk}/file", summary="Fetch an export", openapi_extra={"responses": _BYTES})
def file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The picture or the zip; `Range` goes on where a download broke off. 404 until it is done."""
    return pages.send(request, _own(request, pk))


@router.delete("/exports/{pk}", response={204: None}, summary="Delete an export")
def delete(request: HttpRequest, pk: UUID) -> Status:
    """With its file. One that is being prepared stops."""
    services.delete_export(user=request.user, export=_own(request, pk))
    return Status(204, None)


def _own(request: HttpRequest, pk: UUID) -> Export:
    return get_object_or_404(Export.objects.visible_to(request.user).kept(), pk=pk)


def _by_number(focus: dict[str, tuple[float, float]], known: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Points under the ids of channels instead of their slugs."""
    found = {}
    for key, point in focus.items():
        media, _colon, slug = key.partition(":")
        if slug in known:
            found[f"{media}:{known[slug]}"] = point
    return found
