"""Albums: made, named, filled, ordered, shared."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.live import album_group, publish, publish_access_changed, team_group
from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Album, AlbumItem, AlbumMember, Media, Verb
from gallery.services.activity import record
from gallery.services.refused import Refused

LARGEST = 2000  # pictures in one album


@transaction.atomic
def create_album(
    *,
    user: User,
    team: Team,
    name: str,
    description: str = "",
    visibility: str = Album.Visibility.TEAM,
    media: Iterable[UUID] = (),
) -> Album:
    """A new album of `team`, with the pictures `media` in that order."""
    if not can(user, Action.ORGANISE, team):
        raise PermissionDenied
    album = Album.objects.create(
        team=team, owner=user, name=name, description=description, visibility=Album.Visibility(visibility)
    )
    record(team=team, actor=user, verb=Verb.ALBUM_MADE, album=album, text=name)
    if ids := list(media):
        _add(album, user, ids)
    return album


@transaction.atomic
def change_album(*, user: User, album: Album, **fields: Any) -> None:
    """Sets `name`, `description` or `visibility`. Whoever loses sight of it loses it in open pages too."""
    _check(Album.objects.managed_by(user), album)
    if "visibility" in fields:
        fields["visibility"] = Album.Visibility(fields["visibility"])
    for name, value in fields.items():
        setattr(album, name, value)
    album.changed = timezone.now()
    album.save(update_fields=[*fields, "changed"])


def delete_album(*, user: User, album: Album) -> None:
    """Takes the album away. Its pictures stay where they are."""
    _check(Album.objects.managed_by(user), album)
    album.delete()


@transaction.atomic
def add_to_album(*, user: User, album: Album, media: Iterable[UUID]) -> int:
    """Puts pictures at the end; those that are in already stay where they are. Returns how many came in.

    A picture joins only an album of its own team, and a private one of one's own becomes the team's by it.
    """
    _check(Album.objects.editable_by(user), album)
    return _add(album, user, list(media))


def _add(album: Album, user: User, ids: list[UUID]) -> int:
    found = Media.objects.visible_to(user).kept().filter(team=album.team_id).in_bulk(ids)
    if len(found) < len(set(ids)):
        raise Refused(_("Only pictures of the team “%(team)s” can stand in this album.") % {"team": album.team})
    _lock(album)
    present = set(album.items.values_list("media", flat=True))
    new = [found[pk] for pk in dict.fromkeys(ids) if pk not in present]
    if len(present) + len(new) > LARGEST:
        raise Refused(_("An album holds at most %(n)d pictures. Make a second one.") % {"n": LARGEST})
    private = [media.pk for media in new if media.visibility == Media.Visibility.PRIVATE]
    if private and album.visibility != Album.Visibility.PRIVATE:
        Media.objects.filter(pk__in=private, owner=user).update(visibility=Media.Visibility.TEAM)
    last = album.items.aggregate(last=Max("position"))["last"] or 0.0
    AlbumItem.objects.bulk_create(
        AlbumItem(album=album, media=media, position=last + number, added_by=user)
        for number, media in enumerate(new, start=1)
    )
    if new:
        _touch(album)
        text = str(len(new))
        record(team=album.team, actor=user, verb=Verb.ADDED_TO_ALBUM, album=album, text=text)
    return len(new)


@transaction.atomic
def remove_from_album(*, user: User, album: Album, media: Iterable[UUID]) -> int:
    """Takes pictures out of the album; they stay in the gallery. Returns how many went."""
    _check(Album.objects.editable_by(user), album)
    ids = list(media)
    gone, _rows = album.items.filter(media__in=ids).delete()
    Album.objects.filter(pk=album.pk, cover__in=ids).update(cover=None)
    _touch(album)
    return gone


@transaction.atomic
def move_in_album(*, user: User, album: Album, media: UUID, before: UUID | None) -> None:
    """Puts a picture in front of another one, or at the end."""
    _check(Album.objects.editable_by(user), album)
    _lock(album)
    item = album.items.filter(media=media).first()
    target = album.items.filter(media=before).first() if before else None
    if item is None or (before and target is None):
        raise Refused(_("That picture is not in this album any more. Reload the page."))
    if before == media:
        return
    item.position = _between(album, item, target)
    item.save(update_fields=["position"])
    _touch(album)


def _between(album: Album, item: AlbumItem, target: AlbumItem | None) -> float:
    others = album.items.exclude(pk=item.pk)
    if target is None:
        return (others.aggregate(last=Max("position"))["last"] or 0.0) + 1.0
    previous = others.filter(position__lt=target.position).aggregate(last=Max("position"))["last"]
    if previous is None:
        return (others.aggregate(first=Min("position"))["first"] or 0.0) - 1.0
    middle = (previous + target.position) / 2
    if previous < middle < target.position:
        return middle
    # A float has run out of halves: the places are numbered anew, and there is room again.
    items = list(album.items.exclude(pk=item.pk))
    for number, other in enumerate(items, start=1):
        other.position = float(number)
    AlbumItem.objects.bulk_update(items, ["position"])
    return next(other.position for other in items if other.pk == target.pk) - 0.5


@transaction.atomic
def set_cover(*, user: User, album: Album, media: UUID) -> None:
    """Shows the album by that picture of it."""
    _check(Album.objects.editable_by(user), album)
    if not album.items.filter(media=media).exists():
        raise Refused(_("That picture is not in this album any more. Reload the page."))
    Album.objects.filter(pk=album.pk).update(cover=media, changed=timezone.now())


@transaction.atomic
def share_album(*, user: User, album: Album, email: str, right: str) -> AlbumMember:
    """Gives one person of this installation a right to the album, or another one than they had."""
    _check(Album.objects.managed_by(user), album)
    person = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if person is None:
        raise Refused(_("Nobody here has the address %(email)s. Invite them to the team first.") % {"email": email})
    if person.pk == album.owner_id:
        raise Refused(_("The album is %(name)s's own.") % {"name": person})
    member, made = AlbumMember.objects.update_or_create(
        album=album, user=person, defaults={"right": AlbumMember.Right(right)}
    )
    if made:
        record(team=album.team, actor=user, verb=Verb.ALBUM_SHARED, album=album, text=album.name, tell=[person])
        transaction.on_commit(lambda: publish_access_changed(person.pk))  # their open pages begin to hear of it
    return member


@transaction.atomic
def unshare_album(*, user: User, album: Album, member: AlbumMember) -> None:
    """Takes a person's right to the album back; members may give up their own."""
    if member.user_id != user.pk:
        _check(Album.objects.managed_by(user), album)
    album.memberships.filter(pk=member.pk).delete()
    transaction.on_commit(lambda: publish_access_changed(member.user_id))


def _check(rows, album: Album) -> None:
    if not rows.filter(pk=album.pk).exists():
        raise PermissionDenied


def _lock(album: Album) -> None:
    """Orders those who change places at once: two may not read the same end."""
    Album.objects.filter(pk=album.pk).update(changed=F("changed"))


def _touch(album: Album) -> None:
    Album.objects.filter(pk=album.pk).update(changed=timezone.now())
    if album.visibility != Album.Visibility.PRIVATE:
        event = {"type": "album.changed", "album": str(album.pk)}
        transaction.on_commit(lambda: publish([team_group(album.team_id), album_group(album.pk)], event))
