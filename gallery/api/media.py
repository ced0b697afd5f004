"""Pictures: the list, with every filter and order of the gallery; one of them, its file, and what is said of it."""

import re
from collections import defaultdict
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from ninja.errors import ValidationError
from pydantic import BaseModel, BeforeValidator, Field

from accounts.api.asking import BINARY, Asked, mistake
from accounts.api.me import PersonOut, TeamOut
from accounts.api.pages import NEXT
from accounts.models import Team, User
from accounts.prepared import Prepared
from gallery import links, services
from gallery.models import Like, Media, Rating, Tag
from gallery.search import Search, Sort, Tab, ask, page
from gallery.search.form import Colour, Shape, Size
from gallery.views import files

router = Router(tags=["media"])
Visibility = Literal["private", "team", "published"]
File = Literal["original", "tile", "filmstrip"]
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# For the description: ninja knows no schema of bytes.
_FILE = {kind: {"schema": BINARY} for kind in files.TYPES.values()}
_BYTES = {
    200: {"description": "the picture", "content": _FILE},
    206: {"description": "the part of an original that `Range` asks for", "content": _FILE},
    302: {"description": "where a store has it"},
    416: {"description": "it has no such part"},
}


def _written_out(value: object) -> object:
    """pydantic would take seconds since 1970 for a day, too."""
    if isinstance(value, str) and not DAY.fullmatch(value):
        raise ValueError(_("Write a day as 2026-01-31."))
    return value


Day = Annotated[date, BeforeValidator(_written_out)]


class MediaQuery(Schema):
    """What to look for: the same names as in the gallery's address."""

    tab: Tab = Field(Tab.ALL, description="whose: mine, team (with `team`), shared, published, or all that one may see")
    team: UUID | None = Field(None, description="of which team `tab=team` is")
    sort: Sort | None = Field(
        None, description="best (with `q`: its newest 2,000 matches), newest, oldest, liked, rated"
    )
    q: str = Field("", max_length=200, description="words in prompt, title and tags; the beginning of each is enough")
    meaning: bool = Field(False, description="look for what `q` means rather than for its words")
    like: UUID | None = Field(None, description="more like this picture; words in `q` narrow")
    person: int | None = Field(None, ge=1, lt=2**63, description="whose work, by id")
    model: str = Field("", max_length=120)
    style: str = Field("", max_length=60)
    way: str = Field("", max_length=20, description="text, image, inpaint, upscale, import …")
    adapter: str = Field("", max_length=120)
    album: UUID | None = None
    tag: str = Field("", max_length=40)
    status: str = Field("", pattern="^(|none|asked|changes|approved|rejected)$")
    colour: Colour | None = None
    shape: Shape | None = None
    size: Size | None = None
    since: Day | None = None
    until: Day | None = None
    seed: int | None = Field(None, ge=0, lt=2**63)
    likes: int | None = Field(None, ge=1, le=10**6, description="at least so many")
    stars: int | None = Field(None, ge=1, le=5, description="on average at least so many")
    liked: bool = Field(False, description="only what the caller likes")
    limit: int = Field(40, ge=1, le=100)
    cursor: str = Field("", description="the `next` of the page before")


class MediaOut(BaseModel):
    """One picture."""

    id: UUID
    title: str
    prompt: str
    team: TeamOut
    owner: PersonOut | None
    visibility: str
    created: datetime
    width: int
    height: int
    way: str
    made_from: UUID | None
    model: str
    style: str
    format: str
    seed: int | None
    steps: int | None
    guidance: float | None
    colours: list[str] = Field(description="the most of it first")
    tags: list[str]
    likes: int
    stars: float = Field(description="the mean; 0 while nobody gave any")
    review: str = Field(description="empty, asked, changes, approved or rejected")
    page: str = Field(description="where a person looks at it")
    file: str = Field(description="where a program fetches it")

    @classmethod
    def of(cls, media: Media, *, tags: list[str] | None = None, **more: object) -> "MediaOut":
        """Told from a row with its owner and team; and its tags, where they are not given."""
        plain = ("id", "title", "prompt", "visibility", "created", "width", "height", "way", "style", "format")
        return cls(
            **{name: getattr(media, name) for name in (*plain, "seed", "steps", "guidance", "stars")},
            team=TeamOut(id=media.team_id, name=media.team.name),
            owner=PersonOut.of(media.owner) if media.owner else None,
            made_from=media.made_from_id,
            model=media.checkpoint,
            colours=media.colours.split(),
            tags=[tag.name for tag in media.tags.all()] if tags is None else tags,
            likes=media.like_count,
            review=media.review_state,
            page=media.get_absolute_url(),
            file=f"/api/v1/media/{media.pk}/file",
            **more,
        )


class FullMediaOut(MediaOut):
    """One picture, as it stands to the caller as well."""

    bytes: int
    sha256: str
    job: UUID | None = Field(description="the job that made it")
    version_of: UUID | None = Field(description="the earlier picture that it takes the place of")
    deleted: datetime | None = Field(description="when it went to the trash")
    liked: bool = Field(description="whether the caller likes it")
    own_stars: int = Field(description="what the caller gave; 0: none")


class MediaPageOut(BaseModel):
    """A page of pictures."""

    items: list[MediaOut]
    next: str | None = Field(description=NEXT)
    notice: str = Field("", description="why it went by the words although `meaning` was wanted; else empty")

    @classmethod
    def of(cls, pictures: list[Media], following: str | None, notice: str = "") -> "MediaPageOut":
        """With what belongs to them, in three queries by ids: prefetching sets up what nobody asks for."""
        owners = User.objects.only("name", "email").in_bulk({one.owner_id for one in pictures} - {None})
        teams = Team.objects.only("name").in_bulk({one.team_id for one in pictures})
        tags = defaultdict(list)
        for media, name in Tag.objects.filter(pictures__in=pictures).values_list("pictures", "name"):
            tags[media].append(name)
        for one in pictures:
            one.owner, one.team = owners.get(one.owner_id), teams[one.team_id]
        items = [MediaOut.of(one, tags=tags[one.pk]) for one in pictures]
        return cls(items=items, next=following or None, notice=notice)


class MediaChange(Asked):
    """What is to be otherwise; what is left out or null stays."""

    model_config = {"extra": "forbid"}

    title: str | None = Field(None, max_length=200, description="empty: it goes by its prompt")
    visibility: Visibility | None = None
    tags: list[str] | None = Field(None, max_length=100, description="all of them; in small letters")


class StarsIn(Asked):
    """What one thinks of a picture."""

    model_config = {"extra": "forbid"}

    stars: int = Field(ge=0, le=5, description="0 takes one's own back")


@router.get("/media", response=MediaPageOut, summary="Pictures")
def media(request: HttpRequest, query: Annotated[MediaQuery, Query()]) -> MediaPageOut:
    """Those that the caller may see, a page at a time, as fast at the end as at the beginning."""
    search = Search(query.dict(exclude={"team", "limit", "cursor"}, exclude_none=True))
    if not search.is_valid():
        raise ValidationError([_told(name, messages[0]) for name, messages in search.errors.items()])
    in_vain = ask(search, request.user)
    try:
        found = page(search, request.user, query.team, after=query.cursor, size=query.limit)
    except ValueError as error:
        raise ValidationError([_told("cursor", _("Give a cursor as `next` told it."))]) from error
    return MediaPageOut.of(found.pictures, found.next, _why(query) if in_vain else "")


def _why(query: MediaQuery) -> str:
    if query.like:
        return _("No worker has said yet what is like this picture.")
    return _("No worker has answered in time, so these are the pictures that have the words.")


@router.get("/media/{uuid:pk}", response=FullMediaOut, summary="One picture")
def one(request: HttpRequest, pk: UUID) -> FullMediaOut:
    """All that is known of it. What is in the trash is there for those who could restore it."""
    return _told_of(request, seen(request, pk))


@router.get("/media/{uuid:pk}/file", summary="Fetch a picture", openapi_extra={"responses": _BYTES})
def file(request: HttpRequest, pk: UUID, rendition: File = links.ORIGINAL) -> HttpResponseBase:
    """Its bytes; with the word “Draft” on it where the team marks what is not approved.

    The `ETag` of an original is its SHA-256; `Range` with `If-Range` goes on where a download broke off.
    """
    return files.answer(request, seen(request, pk), rendition, downloads=True)


@router.patch("/media/{uuid:pk}", response=FullMediaOut, summary="Change a picture")
@transaction.atomic
def change(request: HttpRequest, pk: UUID, wanted: MediaChange) -> FullMediaOut:
    """Its title, who may see it, its tags."""
    found = seen(request, pk)
    if wanted.title is not None:
        services.set_title(user=request.user, media=found, title=wanted.title)
    if wanted.visibility is not None:
        services.set_visibility(user=request.user, media=found, visibility=wanted.visibility)
    if wanted.tags is not None:
        try:
            services.set_tags(user=request.user, media=found, words=wanted.tags)
        except services.Refused as refusal:
            raise ValidationError([mistake(str(refusal), "tags")]) from refusal
    return _full(request, found)


@router.delete("/media/{uuid:pk}", response={204: None}, summary="Delete a picture")
def trash(request: HttpRequest, pk: UUID) -> Status:
    """Into the trash, from where it can be restored for a while."""
    services.trash_media(user=request.user, media=seen(request, pk))
    return Status(204, None)


@router.post("/media/{uuid:pk}/restore", response=FullMediaOut, summary="Restore a picture")
def restore(request: HttpRequest, pk: UUID) -> FullMediaOut:
    """Back from the trash."""
    found = seen(request, pk)
    services.restore_media(user=request.user, media=found)
    return _full(request, found)


@router.put("/media/{uuid:pk}/like", response=FullMediaOut, summary="Like a picture")
def like(request: HttpRequest, pk: UUID) -> FullMediaOut:
    """Once a person, however often."""
    found = seen(request, pk)
    services.like_media(user=request.user, media=found, liked=True)
    return _full(request, found)


@router.delete("/media/{uuid:pk}/like", response=FullMediaOut, summary="Like it no more")
def unlike(request: HttpRequest, pk: UUID) -> FullMediaOut:
    """Takes one's like back."""
    found = seen(request, pk)
    services.like_media(user=request.user, media=found, liked=False)
    return _full(request, found)


@router.put("/media/{uuid:pk}/stars", response=FullMediaOut, summary="Give stars")
def rate(request: HttpRequest, pk: UUID, wanted: StarsIn) -> FullMediaOut:
    """One to five."""
    found = seen(request, pk)
    services.rate_media(user=request.user, media=found, stars=wanted.stars)
    return _full(request, found)


_VISIBLE: Prepared[Media] = Prepared(
    lambda user, pk: Media.objects.visible_to(user).filter(pk=pk).select_related("owner", "team"), user=User, pk=UUID
)
_STARS: Prepared[int] = Prepared(
    lambda user, media: Rating.objects.filter(media=media, user=user).values_list("stars", flat=True),
    user=User,
    media=Media,
)
_LIKES: Prepared[int] = Prepared(
    lambda user, media: Like.objects.filter(media=media, user=user).values_list("pk", flat=True),
    user=User,
    media=Media,
)
_TAGS: Prepared[str] = Prepared(lambda media: media.tags.values_list("name", flat=True), media=Media)


def seen(request: HttpRequest, pk: UUID) -> Media:
    """A picture that the caller may see, as its page shows it; else 404."""
    found = _VISIBLE.first(user=request.user, pk=pk)
    if found is None:
        raise Http404
    if found.deleted:
        get_object_or_404(Media.objects.editable_by(request.user), pk=pk)
    return found


def _full(request: HttpRequest, found: Media) -> FullMediaOut:
    """A picture as it is after what was done to it."""
    return _told_of(request, Media.objects.select_related("owner", "team").get(pk=found.pk))


def _told_of(request: HttpRequest, found: Media) -> FullMediaOut:
    given = _STARS.first(user=request.user, media=found)
    plain = ("bytes", "sha256", "job", "deleted")
    return FullMediaOut.of(
        found,
        **{name: getattr(found, name) for name in plain},
        version_of=found.version_of_id,
        tags=_TAGS.rows(media=found),
        liked=bool(_LIKES.rows(user=request.user, media=found)),
        own_stars=given or 0,
    )


def _told(name: str, message: str) -> dict[str, object]:
    return {"loc": ("query", name), "msg": message, "type": name}
