"""The colours that a picture is made of, by the names people search for. Pure: knows no models.

Names are cut out of CIELAB in its polar form, where lightness, chroma and hue are apart: what counts as "brown" is a
dark orange, "pink" a light red, and whatever has little chroma is black, grey or white. Conversion: CIE 15:2018, D65.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from math import atan2, cbrt, degrees, hypot

from PIL import Image

# name -> what a swatch of it looks like, in the order of a filter's swatches
SWATCHES = {
    "red": "#d92b2b",
    "orange": "#f08a24",
    "yellow": "#f2cf2f",
    "green": "#3f9c46",
    "teal": "#1fa3a3",
    "blue": "#2f6bd8",
    "purple": "#7d3fb8",
    "pink": "#ee86b7",
    "brown": "#7d4b24",
    "white": "#ffffff",
    "grey": "#8c8c8c",
    "black": "#101010",
}
EDGE = 64  # pixels: dominance does not need more
SHADES = 24  # what median cut leaves to be named
LEAST = 0.06  # of the picture's area; less than that is a detail
MOST = 5


@dataclass(frozen=True)
class Shade:
    """One colour of a picture: its name (of SWATCHES), how it really looks there, the part of the area it covers."""

    name: str
    hex: str
    share: float


def palette(image: Image.Image) -> list[Shade]:
    """The dominant colours of `image`, largest first, from one to MOST of them. What is transparent counts as white."""
    small = image.convert("RGBA") if "A" in image.mode or "transparency" in image.info else image.convert("RGB")
    small.thumbnail((EDGE, EDGE), Image.Resampling.BOX)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    few = small.quantize(SHADES, Image.Quantize.MEDIANCUT)
    values, counts = few.getpalette() or [], few.getcolors() or []
    area = small.width * small.height
    found: dict[str, list[tuple[int, tuple[int, int, int]]]] = defaultdict(list)
    for count, place in counts:
        red, green, blue = values[3 * place : 3 * place + 3]
        found[name_of(red, green, blue)].append((count, (red, green, blue)))
    shades = [
        Shade(name, "#{:02x}{:02x}{:02x}".format(*max(parts)[1]), sum(count for count, _rgb in parts) / area)
        for name, parts in found.items()
    ]
    shades.sort(key=lambda shade: (-shade.share, shade.name))
    return [shade for shade in shades[:MOST] if shade.share >= LEAST] or shades[:1]


@cache
def name_of(red: int, green: int, blue: int) -> str:
    """The name of one sRGB colour (0 to 255 each)."""
    lightness, a, b = lab(red, green, blue)
    chroma, hue = hypot(a, b), degrees(atan2(b, a)) % 360
    if chroma < 11 or (lightness < 20 and chroma < 16) or (lightness > 90 and chroma < 14):
        return "black" if lightness < 22 else "white" if lightness > 86 else "grey"
    if lightness < 10:
        return "black"
    return _name_of_hue(lightness, chroma, hue)


def _name_of_hue(lightness: float, chroma: float, hue: float) -> str:
    if hue < 20 or hue >= 344:
        return "pink" if lightness >= 54 else "red"
    if hue < 50:
        if lightness >= 62:
            return "pink" if hue < 40 else "orange"
        return "brown" if chroma < 36 else "red"
    if hue < 78:
        return "brown" if lightness < 56 else "orange"
    if hue < 112:
        return "brown" if lightness < 40 else "yellow"
    for until, name in ((172, "green"), (228, "teal"), (309, "blue")):
        if hue < until:
            return name
    return "pink" if lightness >= 68 else "purple"


def lab(red: int, green: int, blue: int) -> tuple[float, float, float]:
    """CIELAB (L* 0 to 100, a*, b*) of an sRGB colour under D65."""
    r, g, b = (_linear(value / 255) for value in (red, green, blue))
    x = _bent((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047)
    y = _bent(0.2126 * r + 0.7152 * g + 0.0722 * b)
    z = _bent((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(value: float) -> float:
    """IEC 61966-2-1: the curve of sRGB undone."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _bent(value: float) -> float:
    return cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
