"""One training picture from pieces of art: laid on a named background, alone or in company, with its caption.

Composed anew for every use, words combine (this thing on that colour) instead of being memorised as whole pictures.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image

from generator.diffusion.starter.recipe.art import Art

# Named colours a designer would ask for, as sRGB.
BACKGROUNDS = {
    "white": (255, 255, 255),
    "black": (16, 16, 18),
    "gray": (128, 128, 130),
    "red": (214, 40, 40),
    "orange": (245, 130, 32),
    "yellow": (250, 210, 50),
    "green": (46, 140, 70),
    "mint green": (170, 235, 200),
    "teal": (0, 128, 128),
    "sky blue": (135, 206, 235),
    "blue": (37, 99, 215),
    "navy blue": (20, 30, 80),
    "purple": (120, 50, 160),
    "lavender": (205, 190, 240),
    "pink": (250, 160, 195),
    "magenta": (200, 30, 130),
    "beige": (238, 224, 200),
    "brown": (110, 72, 45),
}
# How a caption may begin. {} is the thing.
PHRASES = ("3d render of {}", "{}, 3d icon", "3d icon of {}", "a 3d {}")
SYNONYM_SHARE = 0.2
# Where a small thing may stand: its middle, across and down, 0..1.
PLACES = {
    "in the top left corner": (0.27, 0.27),
    "in the top right corner": (0.73, 0.27),
    "in the bottom left corner": (0.27, 0.73),
    "in the bottom right corner": (0.73, 0.73),
}
# Colours that a thing may be turned into, as hues in degrees.
HUES = {"red": 0, "orange": 30, "yellow": 52, "green": 125, "blue": 215, "purple": 280, "pink": 330}
# A thing has a colour of its own where this much of it is coloured and the hues agree this far (1: all the same); it is
# another colour from here on.
MIN_COLOUR, MIN_AGREEMENT, MIN_HUE_CHANGE = 0.35, 0.9, 50
# Of these backgrounds a thing never sees two: what was held back tells whether words combine.
UNSEEN_BACKGROUNDS = 2


@dataclass(frozen=True)
class Composed:
    """RGB pixels [size, size, 3] uint8 with the caption that says what they show."""

    pixels: np.ndarray
    caption: str
    label: str
    background: str


def unseen_backgrounds(label: str) -> tuple[str, ...]:
    """The backgrounds on which `label` is never trained: always the same ones, drawn by its name."""
    digest = hashlib.sha256(label.encode()).digest()
    return tuple(random.Random(digest).sample(sorted(BACKGROUNDS), UNSEEN_BACKGROUNDS))


def compose(art: Art, picture: Image.Image, background: str, rng: random.Random, size: int) -> Composed:
    """Lays `picture` (RGBA) on a square of `size` pixels, filling 78 to 90 % of it, within 3 % of the middle."""
    canvas = Image.new("RGB", (size, size), BACKGROUNDS[background])
    middle = [0.5 + rng.uniform(-0.03, 0.03) for _ in range(2)]
    _lay(canvas, picture, (middle[0], middle[1]), rng.uniform(0.78, 0.90))
    return Composed(np.asarray(canvas), caption(art, background, rng), art.label, background)


def compose_placed(art: Art, picture: Image.Image, background: str, rng: random.Random, size: int) -> Composed:
    """A small thing, 35 to 45 % of the square, where the caption says."""
    place = rng.choice(sorted(PLACES))
    canvas = Image.new("RGB", (size, size), BACKGROUNDS[background])
    across, down = PLACES[place]
    _lay(canvas, picture, (across + rng.uniform(-0.02, 0.02), down + rng.uniform(-0.02, 0.02)), rng.uniform(0.35, 0.45))
    text = f"{rng.choice(PHRASES[:3]).format(f'a small {art.label}')} {place} {_on(background)}"
    return Composed(np.asarray(canvas), text, art.label, background)


def compose_pair(
    pair: tuple[Art, Art], pictures: tuple[Image.Image, Image.Image], background: str, rng: random.Random, size: int
) -> Composed:
    """Two things side by side, named from left to right."""
    canvas = Image.new("RGB", (size, size), BACKGROUNDS[background])
    for across, picture in zip((0.27, 0.73), pictures, strict=True):
        _lay(canvas, picture, (across, 0.5 + rng.uniform(-0.03, 0.03)), rng.uniform(0.42, 0.48))
    left, right = (with_article(art.label) for art in pair)
    text = f"{PHRASES[0].format(f'{left} and {right} side by side')} {_on(background)}"
    return Composed(np.asarray(canvas), text, pair[0].label, background)


def compose_recoloured(
    art: Art, picture: Image.Image, background: str, rng: random.Random, size: int
) -> Composed | None:
    """The thing in another colour than its own, as the caption says; None for one without a colour of its own."""
    own = find_hue(picture)
    # A “blue red apple” would teach nobody anything.
    if own is None or not HUES.keys().isdisjoint(art.label.split()):
        return None
    hue = rng.choice([name for name, degrees in HUES.items() if _apart(degrees, own) > MIN_HUE_CHANGE])
    made = compose(art, turn_hue(picture, HUES[hue] - own), background, rng, size)
    text = f"{rng.choice(PHRASES[:3]).format(with_article(f'{hue} {art.label}'))} {_on(background)}"
    return Composed(made.pixels, text, art.label, background)


def find_hue(picture: Image.Image) -> float | None:
    """The hue in degrees that most of an RGBA picture has; None where there is little colour or several."""
    hue, saturation, value = _hsv(picture)
    weight = saturation * value * (np.asarray(picture)[..., 3] / 255)
    if weight.sum() < MIN_COLOUR * (np.asarray(picture)[..., 3] > 0).sum():
        return None
    mean = (weight * np.exp(1j * np.radians(hue))).sum() / weight.sum()
    return float(np.degrees(np.angle(mean)) % 360) if abs(mean) > MIN_AGREEMENT else None


def turn_hue(picture: Image.Image, degrees: float) -> Image.Image:
    """An RGBA picture with every hue turned; light, dark and grey stay as they are."""
    hue, saturation, value = picture.convert("RGB").convert("HSV").split()
    turned = hue.point([round(step + degrees / 360 * 256) % 256 for step in range(256)])
    coloured = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    coloured.putalpha(picture.getchannel("A"))
    return coloured


def with_article(thing: str) -> str:
    """ "apple" -> "an apple"."""
    return f"{'an' if thing[:1].lower() in 'aeiou' else 'a'} {thing}"


def caption(art: Art, background: str, rng: random.Random) -> str:
    """ "3d render of a rocket on a navy blue background"; a synonym one time in five."""
    thing = rng.choice(art.synonyms) if art.synonyms and rng.random() < SYNONYM_SHARE else art.label
    if rng.random() < 0.5:
        return f"{rng.choice(PHRASES[:3]).format(with_article(thing))} {_on(background)}"
    return f"{rng.choice(PHRASES).format(thing)} {_on(background)}"


def plain_caption(label: str, background: str) -> str:
    """The caption that says it without ado: what evaluation asks for."""
    return f"{PHRASES[0].format(label)} {_on(background)}"


def _on(background: str) -> str:
    return f"on {with_article(background)} background"


def _lay(canvas: Image.Image, picture: Image.Image, middle: tuple[float, float], share: float) -> None:
    """Lays an RGBA picture on `canvas`, `share` of its size, around `middle` (0..1 across and down)."""
    side = round(canvas.width * share)
    corner = tuple(round(canvas.width * place - side / 2) for place in middle)
    # Premultiplied, or the colour of clear pixels bleeds into the edges.
    scaled = picture.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
    canvas.paste(scaled, (corner[0], corner[1]), scaled)


def _hsv(picture: Image.Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in degrees, saturation and value 0..1, each [H, W]."""
    hue, saturation, value = np.asarray(picture.convert("RGB").convert("HSV"), np.float32).transpose(2, 0, 1)
    return hue * (360 / 256), saturation / 255, value / 255


def _apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)
