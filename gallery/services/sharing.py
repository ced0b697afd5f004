"""Links for people without an account."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery import renditions
from gallery.models import Album, Brand, Media, ShareLink, Verb
from gallery.services.activity import record
from gallery.services.refused import Refused


def make_link(
    *,
    user: User,
    media: Media | None = None,
    album: Album | None = None,
    name: str = "",
    expires: datetime | None = None,
    password: str = "",
    may_download: bool = False,
) -> tuple[ShareLink, str]:
    """(the link, its token): the token is told this once. For one picture or one album of the team's."""
    thing = media or album
    if thing is None:
        raise ValueError("a link shows a picture or an album")
    rows = Media.objects.visible_to(user).kept() if media else Album.objects.visible_to(user)
    if not rows.filter(pk=thing.pk).exists() or not can(user, Action.SHARE, thing.team_id):
        raise PermissionDenied
    if thing.visibility == Media.Visibility.PRIVATE:
        raise Refused(_("Only you can see this. Show it to the team before you show it to the world."))
    if expires is not None and expires <= timezone.now():
        raise Refused(_("Choose a day in the future for the link to end."))
    token = ShareLink.new_token()
    link = ShareLink(
        team=thing.team,
        media=media,
        album=album,
        created_by=user,
        name=name.strip(),
        token_hash=ShareLink.hash(token),
        may_download=may_download,
        expires=expires,
    )
    link.set_password(password)
    link.save(force_insert=True)
    record(team=thing.team, actor=user, verb=Verb.LINK_MADE, media=media, album=album, text=link.name)
    return link, token


def revoke_link(*, user: User, link: ShareLink) -> None:
    """Closes a link for good, at once."""
    if not ShareLink.objects.managed_by(user).filter(pk=link.pk).exists():
        raise PermissionDenied
    if ShareLink.objects.filter(pk=link.pk, revoked=None).update(revoked=timezone.now()):
        record(team=link.team, actor=user, verb=Verb.LINK_REVOKED, media=link.media, album=link.album, text=link.name)


def count_opening(link: ShareLink) -> None:
    """One more visit."""
    ShareLink.objects.filter(pk=link.pk).update(opened=F("opened") + 1, last_opened=timezone.now())


def count_download(link: ShareLink) -> None:
    """One more original that went out."""
    ShareLink.objects.filter(pk=link.pk).update(downloaded=F("downloaded") + 1)


def set_brand(*, user: User, team: Team, name: str, logo: Any = None, remove_logo: bool = False) -> Brand:
    """How `team` shows itself on public pages. `logo`: an uploaded picture, of which only the pixels are kept."""
    if not can(user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    brand, _made = Brand.objects.get_or_create(team=team)
    brand.name = name.strip()
    if brand.logo and (logo or remove_logo):
        brand.logo.delete(save=False)
    if logo:
        logo.seek(0)
        with Image.open(logo) as image:
            brand.logo.save("logo.png", ContentFile(renditions.logo(image)), save=False)
    brand.save()
    return brand
