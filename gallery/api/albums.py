"""Albums: their names, their pictures in order, and who has part in them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Field, Path, Router, Schema, Status

from accounts.api.asking import Asked, Once, asked, checked, team_asked, team_of
from accounts.api.me import PersonOut, TeamOut
from accounts.api.pages import NEXT, Cursor, Limit, cut
from accounts.models import User
from accounts.services import once
from gallery import services
from gallery.api.media import MediaPageOut, Visibility
from gallery.forms import AlbumForm, AlbumMemberForm, AlbumTab
from gallery.models import Album, AlbumItem, AlbumMember, Media
from gallery.services.albums import LARGEST

router = Router(tags=["albums"])


class AlbumOut(Schema):
    """A named choice of a team's pictures."""

    id: UUID
    name: str
    description: str
    visibility: str
    team: TeamOut
    owner: PersonOut | None
    pictures: int = Field(description="how many of its pictures the caller may see")
    cover: UUID | None
    created: datetime
    changed: datetime
    page: str = Field(description="where a person looks at it")


class AlbumsOut(Schema):
    """A page of albums, the latest changed first."""

    items: list[AlbumOut]
    next: str | None = Field(description=NEXT)


class AlbumIn(Asked):
    """A new album."""

    model_config = {"extra": "forbid"}

    name: str = Field(min_length=1, max_length=120)
    description: str = Field("", max_length=2000)
    visibility: Visibility = "team"
    media: list[UUID] = Field(default_factory=list, max_length=LARGEST, description="its first pictures, in order")
    team: UUID | None = Field(None, description="whose it is; without it the key's team, else the personal one")


class AlbumChange(Asked):
    """What is to be otherwise; what is left out or null stays."""

    model_config = {"extra": "forbid"}

    name: str | None = Field(None, min_length=1, max_length=120)
    description: str | None = Field(None, max_length=2000)
    visibility: Visibility | None = None


class PicturesIn(Asked):
    """Pictures that come in, at the end."""

    model_config = {"extra": "forbid"}

    media: list[UUID] = Field(min_length=1, max_length=LARGEST)


class MoveIn(Asked):
    """A picture's new place."""

    model_config = {"extra": "forbid"}

    media: UUID
    before: UUID | None = Field(None, description="the picture that it is to stand in front of; without one: the end")


class CoverIn(Asked):
    """The picture that stands for the album."""

    model_config = {"extra": "forbid"}

    media: UUID


class MemberIn(Asked):
    """Somebody who is to have part in an album."""

    model_config = {"extra": "forbid"}

    email: str = Field(max_length=254)
    right: AlbumMember.Right = AlbumMember.Right.VIEW


class MemberOut(Schema):
    """What one person may do in an album beside what their role in its team allows."""

    person: PersonOut
    right: AlbumMember.Right
    added: datetime

    @classmethod
    def of(cls, member: AlbumMember) -> "MemberOut":
        """Told from a row with its user."""
        return cls(person=PersonOut.of(member.user), right=member.right, added=member.added)


@router.get("/albums", response=AlbumsOut, summary="Albums")
def albums(
    request: HttpRequest,
    tab: AlbumTab | None = None,
    team: UUID | None = None,
    limit: Limit = 40,
    cursor: Cursor = None,
) -> AlbumsOut:
    """Those that one may see; `tab` is as on the page (team, mine, shared, published), `team` which team's."""
    found = Album.objects.visible_to(request.user)
    if tab is not None:
        found = tab.of(request.user, team_asked(request, team))
    elif team is not None:
        found = found.filter(team=team_asked(request, team))
    rows, following = cut(found.select_related("owner", "team"), "changed", cursor=cursor, limit=limit)
    return AlbumsOut(items=_told(rows, request.user), next=following)


@router.post("/albums", response={201: AlbumOut}, summary="Make an album")
def create(request: HttpRequest, response: HttpResponse, wanted: AlbumIn, idempotency_key: Once = None) -> Status:
    """With its first pictures, where some are named."""

    def make() -> str:
        said = checked(AlbumForm(wanted.dict(include={"name", "description", "visibility"})))
        team = team_of(request, wanted.team)
        return str(services.create_album(user=request.user, team=team, media=wanted.media, **said).pk)

    pk = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    response["Location"] = reverse("api:album", args=[pk])
    return Status(201, _one(request, pk))


@router.get("/albums/{uuid:pk}", response=AlbumOut, summary="One album", url_name="album")
def album(request: HttpRequest, pk: UUID) -> AlbumOut:
    """Its name, whose it is, how much is in it."""
    return _one(request, pk)


@router.patch("/albums/{uuid:pk}", response=AlbumOut, summary="Change an album")
def change(request: HttpRequest, pk: UUID, wanted: AlbumChange) -> AlbumOut:
    """Another name, description or visibility."""
    found = _seen(request, pk)
    changes = wanted.dict(exclude_none=True)
    whole = {name: getattr(found, name) for name in AlbumForm.base_fields} | changes
    said = checked(AlbumForm(whole))
    services.change_album(user=request.user, album=found, **{name: said[name] for name in changes})
    return _told([found], request.user)[0]


@router.delete("/albums/{uuid:pk}", response={204: None}, summary="Delete an album")
def delete(request: HttpRequest, pk: UUID) -> Status:
    """Its pictures stay in the gallery."""
    services.delete_album(user=request.user, album=_seen(request, pk))
    return Status(204, None)


@router.get("/albums/{uuid:pk}/pictures", response=MediaPageOut, summary="Pictures of an album")
def pictures(request: HttpRequest, pk: UUID, limit: Limit = 40, cursor: Cursor = None) -> MediaPageOut:
    """Those that one may see, in the album's order."""
    visible = Media.objects.visible_to(request.user).kept()
    items = AlbumItem.objects.filter(album=_seen(request, pk), media__in=visible).select_related("media")
    rows, following = cut(items, "position", cursor=cursor, limit=limit, descending=False)
    return MediaPageOut.of([item.media for item in rows], following)


@router.post("/albums/{uuid:pk}/pictures", response=AlbumOut, summary="Put pictures in")
def add(request: HttpRequest, pk: UUID, wanted: PicturesIn) -> AlbumOut:
    """At the end; those that are in already stay where they are."""
    services.add_to_album(user=request.user, album=_seen(request, pk), media=wanted.media)
    return _one(request, pk)


@router.delete("/albums/{uuid:pk}/pictures/{uuid:media}", response={204: None}, summary="Take a picture out")
def remove(request: HttpRequest, pk: UUID, media: UUID) -> Status:
    """It stays in the gallery. The same once more changes nothing."""
    services.remove_from_album(user=request.user, album=_seen(request, pk), media=[media])
    return Status(204, None)


@router.post("/albums/{uuid:pk}/order", response=AlbumOut, summary="Move a picture")
def move(request: HttpRequest, pk: UUID, wanted: MoveIn) -> AlbumOut:
    """In front of another one, or to the end."""
    services.move_in_album(user=request.user, album=_seen(request, pk), media=wanted.media, before=wanted.before)
    return _one(request, pk)


@router.put("/albums/{uuid:pk}/cover", response=AlbumOut, summary="Choose the cover")
def cover(request: HttpRequest, pk: UUID, wanted: CoverIn) -> AlbumOut:
    """One of its pictures."""
    services.set_cover(user=request.user, album=_seen(request, pk), media=wanted.media)
    return _one(request, pk)


@router.get("/albums/{uuid:pk}/members", response=list[MemberOut], summary="Who has part in an album")
def members(request: HttpRequest, pk: UUID) -> list[MemberOut]:
    """People who were given a right to it, beside its team."""
    return [MemberOut.of(member) for member in _seen(request, pk).memberships.select_related("user")]


@router.post("/albums/{uuid:pk}/members", response=MemberOut, summary="Share an album")
def share(request: HttpRequest, pk: UUID, wanted: MemberIn) -> MemberOut:
    """With somebody of this installation; or another right than they had."""
    said = checked(AlbumMemberForm(wanted.dict()))
    return MemberOut.of(services.share_album(user=request.user, album=_seen(request, pk), **said))


@router.delete("/albums/{uuid:pk}/members/{person}", response={204: None}, summary="Share it no more")
def unshare(request: HttpRequest, pk: UUID, person: Annotated[int, Path(ge=1, lt=2**63)]) -> Status:
    """Takes somebody's right back, or one's own."""
    found = _seen(request, pk)
    member = get_object_or_404(AlbumMember, album=found, user=person)
    services.unshare_album(user=request.user, album=found, member=member)
    return Status(204, None)


def _seen(request: HttpRequest, pk: UUID) -> Album:
    return get_object_or_404(Album.objects.visible_to(request.user).select_related("owner", "team"), pk=pk)


def _one(request: HttpRequest, pk: UUID) -> AlbumOut:
    return _told([_seen(request, pk)], request.user)[0]


def _told(found: Iterable[Album], viewer: User) -> list[AlbumOut]:
    """Albums as `viewer` sees them: of pictures that are hidden from them neither the number nor the id is told."""
    rows = list(found)
    visible = Media.objects.visible_to(viewer).kept()
    items = AlbumItem.objects.filter(album__in=rows, media__in=visible)
    counts = dict(items.order_by().values_list("album").annotate(n=Count("pk")))
    covers = set(visible.filter(pk__in=[row.cover_id for row in rows if row.cover_id]).values_list("pk", flat=True))
    plain = ("id", "name", "description", "visibility", "created", "changed")

    def told(album: Album) -> AlbumOut:
        facts: dict[str, Any] = {name: getattr(album, name) for name in plain}
        return AlbumOut(
            **facts,
            team=TeamOut(id=album.team_id, name=album.team.name),
            owner=PersonOut.of(album.owner) if album.owner else None,
            pictures=counts.get(album.pk, 0),
            cover=album.cover_id if album.cover_id in covers else None,
            page=album.get_absolute_url(),
        )

    return [told(album) for album in rows]
