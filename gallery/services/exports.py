"""Exports as people ask for them: channels, focus points, and the errand that a worker then prepares."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.channels import CHANNELS
from gallery.export.crop import crop_for
from gallery.export.naming import unknown_tokens
from gallery.export.spec import CENTRE, PLACES, Wishes
from gallery.models import BrandFont, Channel, Export, FocusPoint, Format, Media
from gallery.services import delivery
from gallery.services.refused import Refused

MOST_FILES = 2000  # of one export
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def install_channels() -> None:
    """Makes the channels that ship where they are missing; existing ones stay as administrators left them."""
    known = {*Channel.objects.filter(team=None).values_list("slug", flat=True)}
    missing = [
        Channel(slug=slug, name=name, width=width, height=height, order=order, **more)
        for order, (slug, name, width, height, more) in enumerate(CHANNELS)
        if slug not in known
    ]
    Channel.objects.bulk_create(missing, ignore_conflicts=True)  # several processes may begin at once


def create_export(*, user: User, team: Team, wishes: Wishes, name: str = "") -> Export:
    """Puts an export in line. Only pictures that `user` sees; refused for what nobody could prepare."""
    if not can(user, Action.VIEW, team):
        raise PermissionDenied
    media = _visible(user, wishes.media)
    channels = _known(team, wishes.channels)
    _check(team, wishes)
    if len(media) * len(channels) > MOST_FILES:
        raise Refused(_("That would be %(n)d files; one export has at most %(most)d.") % _counts(media, channels))
    if not wishes.enlarge and not any(has_pixels(m, c) for m in media for c in channels):
        raise Refused(_("Every picture is too small for what you chose. Allow enlarging, or choose smaller channels."))
    wishes = replace(
        wishes,
        media=tuple(str(one.pk) for one in media),
        channels=tuple(channel.pk for channel in channels),
        focus={**focus_points(media=media, channels=channels), **wishes.focus},
    )
    name = name.strip() or _default_name(media)
    return enter_export(user=user, team=team, name=name, wishes=wishes.as_json(), total=len(media) * len(channels))


@transaction.atomic
def enter_export(*, user: User, team: Team, name: str, wishes: dict[str, Any], total: int) -> Export:
    """Puts what was checked in line. `wishes`: of Wishes, or of a `kind` that exporting.WRITERS knows."""
    expires = timezone.now() + timedelta(hours=settings.EXPORT_HOURS)
    export = Export.objects.create(team=team, owner=user, name=name[:200], wishes=wishes, total=total, expires=expires)
    delivery.wake()
    return export


def _visible(user: User, wanted: Iterable[str]) -> list[Media]:
    """In the order that was asked for, each once."""
    ids = list(dict.fromkeys(UUID(str(pk)) for pk in wanted))
    found = Media.objects.visible_to(user).kept().in_bulk(ids)
    if not ids or len(found) < len(ids):
        raise Refused(_("Choose at least one picture. One that you chose may have been deleted meanwhile."))
    return [found[pk] for pk in ids]


def _known(team: Team, wanted: Iterable[int]) -> list[Channel]:
    ids = list(dict.fromkeys(wanted))
    found = Channel.objects.for_team(team).in_bulk(ids)
    if not ids or len(found) < len(ids):
        raise Refused(_("Choose at least one channel."))
    return sorted(found.values(), key=lambda channel: (channel.order, channel.name))


def _check(team: Team, wishes: Wishes) -> None:
    if wishes.format and wishes.format not in Format.values:
        raise Refused(_("Choose one of the formats."))
    if unknown := unknown_tokens(wishes.naming):
        raise Refused(_("“{%(token)s}” means nothing in a file name.") % {"token": unknown[0]})
    if wishes.quality is not None and not 1 <= wishes.quality <= 100:
        raise Refused(_("The quality is a number from 1 to 100."))
    if wishes.max_kb is not None and wishes.max_kb < 1:
        raise Refused(_("A file has at least 1 kB."))
    for layer in (wishes.logo, wishes.text):
        if layer and (layer.place not in PLACES or not 1 <= layer.size <= 60):
            raise Refused(_("Say where the layer is to stand, and how large."))
    if text := wishes.text:
        if not _COLOUR.fullmatch(text.colour) or (text.shade and not _COLOUR.fullmatch(text.shade)):
            raise Refused(_("A colour is written as #rrggbb."))
        if text.font and not _is_font_of(team, text.font):
            raise Refused(_("This font is not of the team's any more."))


def _is_font_of(team: Team, pk: str) -> bool:
    try:
        return BrandFont.objects.filter(team=team, pk=UUID(pk)).exists()
    except ValueError:
        return False


def _counts(media: list[Media], channels: list[Channel]) -> dict[str, int]:
    return {"n": len(media) * len(channels), "most": MOST_FILES}


def has_pixels(media: Media, channel: Channel) -> bool:
    """Whether the picture is large enough for the channel; where the crop lies makes no difference."""
    return not crop_for((media.width, media.height), channel.size, CENTRE).is_enlarged


def _default_name(media: list[Media]) -> str:
    first = str(media[0])
    if len(media) == 1:
        return first
    return _("%(title)s and %(n)d more") % {"title": first[:150], "n": len(media) - 1}


def focus_points(*, media: Iterable[Media], channels: Iterable[Channel]) -> dict[str, tuple[float, float]]:
    """The points that were set, by "media:channel"."""
    points = FocusPoint.objects.filter(media__in=list(media), channel__in=list(channels))
    return {f"{point.media_id}:{point.channel_id}": (point.x, point.y) for point in points}


def set_focus(*, user: User, media: Media, channel: Channel, x: float, y: float) -> None:
    """Remembers which point of a picture a channel's crop keeps, for everybody who exports it."""
    if not Media.objects.visible_to(user).filter(pk=media.pk).exists():
        raise PermissionDenied
    if not can(user, Action.ORGANISE, media.team_id):
        raise PermissionDenied
    point = {"x": min(max(x, 0.0), 1.0), "y": min(max(y, 0.0), 1.0)}
    FocusPoint.objects.update_or_create(media=media, channel=channel, defaults=point)


def delete_export(*, user: User, export: Export) -> None:
    """Away with it, and with its file. A worker that prepares it notices and stops."""
    if export.owner_id != user.pk:
        raise PermissionDenied
    _remove([export])


def purge_exports() -> int:
    """Removes those whose time is over. Returns how many."""
    return _remove(list(Export.objects.expired()))


def _remove(exports: list[Export]) -> int:
    for export in exports:
        stored = export.file
        export.delete()
        if stored:
            stored.storage.delete(str(stored.name))
    return len(exports)


def set_channel(*, user: User, team: Team, channel: Channel | None = None, **fields: Any) -> Channel:
    """A channel of the team's own: a new one, or `channel` changed."""
    if not can(user, Action.MANAGE_PEOPLE, team) or (channel and channel.team_id != team.pk):
        raise PermissionDenied
    found = channel or Channel(team=team)
    for name, value in fields.items():
        setattr(found, name, value)
    found.save()
    return found


def delete_channel(*, user: User, channel: Channel) -> None:
    """Only a team's own; what ships is for administrators to hide."""
    if channel.team is None or not can(user, Action.MANAGE_PEOPLE, channel.team):
        raise PermissionDenied
    channel.delete()
