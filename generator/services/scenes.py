"""A thing in a scene: a picture without its background, laid on a canvas, around which everything is made anew."""

from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from gallery.models import Media
from generator.services.refused import Refused

LEAST_SCALE, MOST_SCALE = 0.1, 1.5
CLOSED = 200  # of 255: what is less opaque than that, at the outline, is made anew with what is around it
GROUND = (200, 200, 200)  # of the canvas; the model begins from noise there


@dataclass(frozen=True)
class Placement:
    """Where the middle of a thing lies, in shares of the canvas, and how large it is: 1 just fits in."""

    x: float = 0.5
    y: float = 0.5
    scale: float = 0.7


@dataclass(frozen=True)
class Spot:
    """The same in pixels of one canvas; what lies beyond its edges is cut off."""

    left: int
    top: int
    width: int
    height: int


def spot_of(thing: Media, canvas: tuple[int, int], placement: Placement) -> dict[str, int]:
    """Where `thing` comes to lie, as a request writes it down. Refused for what is no cutout, or lies outside."""
    if thing.way != Media.Way.CUTOUT:
        raise Refused(_("Remove the background of the picture first."))
    fits = min(canvas[0] / thing.width, canvas[1] / thing.height)
    width, height = (max(1, round(side * fits * placement.scale)) for side in (thing.width, thing.height))
    left, top = round(canvas[0] * placement.x - width / 2), round(canvas[1] * placement.y - height / 2)
    return asdict(Spot(left, top, width, height))


def lay(thing: Image.Image, canvas: tuple[int, int], spot: Spot) -> tuple[Image.Image, Image.Image]:
    """(the canvas with the thing on it, the mask of all around it)."""
    thing = thing.convert("RGBA").resize((spot.width, spot.height), Image.Resampling.LANCZOS)
    solid = thing.getchannel("A").point(lambda value: 255 if value >= CLOSED else 0)
    alpha = Image.new("L", canvas)
    alpha.paste(solid, (spot.left, spot.top))
    whole = Image.new("RGB", canvas, GROUND)
    whole.paste(thing.convert("RGB"), (spot.left, spot.top), thing.getchannel("A"))
    return whole, ImageOps.invert(alpha)
