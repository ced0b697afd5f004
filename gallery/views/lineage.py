"""Where a picture comes from and what came of it, as far as the viewer may see; and two pictures in one place."""

from dataclasses import dataclass

from accounts.models import User
from gallery.links import ORIGINAL, media_url
from gallery.models import Media
from gallery.views.tiles import Tile, tiles

ANCESTORS = 4
CHILDREN = 12


@dataclass(frozen=True)
class Lineage:
    """The line that leads to a picture, the first one first, and what was made from it."""

    here: str  # how the picture itself was made, in words
    ancestors: list[tuple[Tile, str]]  # each with how it was made
    children: list[tuple[Tile, str]]
    more: int  # children beyond those that are shown

    def __bool__(self) -> bool:
        return bool(self.ancestors or self.children)


def lineage(media: Media, viewer: User) -> Lineage:
    """The line ends at the first picture that `viewer` does not see, or that is in the trash."""
    seen = Media.objects.visible_to(viewer).kept()
    line: list[Media] = []
    at = media.made_from_id
    while at and len(line) < ANCESTORS:
        found = seen.filter(pk=at).first()
        if found is None or found in line:
            break
        line.insert(0, found)
        at = found.made_from_id
    made = seen.filter(made_from=media).order_by("created", "pk")
    children = list(made[:CHILDREN])
    more = made.count() - CHILDREN if len(children) == CHILDREN else 0
    shown = [(tile, way_in_words(tile.media)) for tile in tiles([*line, *children], viewer)]
    return Lineage(way_in_words(media), shown[: len(line)], shown[len(line) :], more)


def way_in_words(media: Media) -> str:
    """How a picture was made; a way that is not known here by its own name."""
    return str(Media.Way(media.way).label) if media.way in Media.Way.values else media.way


@dataclass(frozen=True)
class Comparison:
    """A picture and what became of it. The place of the first within the second is in percent."""

    before: str
    after: str
    alt: str
    width: int
    height: int
    place: str
    is_clear: bool  # whether the second may have parts that are clear


def compare(before: Media, after: Media, viewer: User) -> Comparison:
    """`before` lies where it lay when `after` was made around it; otherwise over the whole."""
    spot = after.recipe.get("spot") or {}
    margins = after.recipe.get("margins") or {}
    left, top = (spot or margins).get("left", 0), (spot or margins).get("top", 0)
    wide, high = (before.width, before.height) if margins else (after.width, after.height)
    if spot:
        wide, high = spot["width"], spot["height"]
    parts = {"x": left / after.width, "y": top / after.height, "w": wide / after.width, "h": high / after.height}
    return Comparison(
        before=media_url(before, ORIGINAL, viewer),
        after=media_url(after, ORIGINAL, viewer),
        alt=str(after),
        width=after.width,
        height=after.height,
        place="; ".join(f"--{name}: {part:.4%}" for name, part in parts.items()),
        is_clear=after.way == Media.Way.CUTOUT,
    )
