"""A team's brand kit: its colours, and the typefaces that it writes with."""

import re
import tempfile
import uuid
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.intake.fonts import check_font
from gallery.intake.unfit import Unfit
from gallery.intake_words import reason_in_words
from gallery.models import Brand, BrandFont
from gallery.services.refused import Refused

MOST_COLOURS = 24
MOST_FONTS = 12
FONT_BYTES = 5 * 1024 * 1024
_HEX = re.compile(r"#[0-9a-f]{6}")


def set_colours(*, user: User, team: Team, colours: list[tuple[str, str]]) -> Brand:
    """(name, #rrggbb) of each, in their order."""
    _check(user, team)
    kept = [{"name": name.strip()[:40], "hex": value.lower()} for name, value in colours if name.strip()]
    if any(not _HEX.fullmatch(colour["hex"]) for colour in kept):
        raise Refused(_("A colour is written as #rrggbb."))
    if len(kept) > MOST_COLOURS:
        raise Refused(_("A brand has at most %(n)d colours.") % {"n": MOST_COLOURS})
    return Brand.objects.update_or_create(team=team, defaults={"colours": kept})[0]


def add_font(*, user: User, team: Team, file: Any, licence: str) -> BrandFont:
    """A typeface that letters can be drawn with, and the licence under which the team may."""
    _check(user, team)
    if not licence.strip():
        raise Refused(_("Say under which licence the team may use this font."))
    if file.size > FONT_BYTES:
        raise Refused(_("A font has at most 5 MB."))
    if BrandFont.objects.filter(team=team).count() >= MOST_FONTS:
        raise Refused(_("A brand has at most %(n)d fonts.") % {"n": MOST_FONTS})
    data = file.read()
    with tempfile.NamedTemporaryFile() as local:
        local.write(data)
        local.flush()
        try:
            name, extension = check_font(Path(local.name))
        except Unfit as unfit:
            raise Refused(reason_in_words(unfit.code)) from unfit
    font = BrandFont(pk=uuid.uuid4(), team=team, name=(name or file.name)[:120], licence=licence.strip()[:200])
    font.file.save(f"font.{extension}", ContentFile(data), save=False)
    font.save(force_insert=True)
    return font


def remove_font(*, user: User, font: BrandFont) -> None:
    """Away with it, and with its file."""
    _check(user, font.team)
    stored = font.file
    font.delete()
    stored.storage.delete(str(stored.name))


def _check(user: User, team: Team) -> None:
    if not can(user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
