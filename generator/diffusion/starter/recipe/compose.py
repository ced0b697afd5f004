"""One training picture from one piece of art: laid on a named background, a little moved and scaled, with its caption.

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
    side = round(size * rng.uniform(0.78, 0.90))
    corner = [round((size - side) / 2 + size * rng.uniform(-0.03, 0.03)) for _ in range(2)]
    # Premultiplied, or the colour of clear pixels bleeds into the edges.
    scaled = picture.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
    canvas = Image.new("RGB", (size, size), BACKGROUNDS[background])
    canvas.paste(scaled, (corner[0], corner[1]), scaled)
    return Composed(np.asarray(canvas), caption(art, background, rng), art.label, background)


def caption(art: Art, background: str, rng: random.Random) -> str:
    """ "3d render of a rocket on a navy blue background"; a synonym one time in five."""
    thing = rng.choice(art.synonyms) if art.synonyms and rng.random() < SYNONYM_SHARE else art.label
    if rng.random() < 0.5:
        thing = f"{'an' if thing[:1].lower() in 'aeiou' else 'a'} {thing}"
    phrase = rng.choice(PHRASES) if not thing.startswith(("a ", "an ")) else rng.choice(PHRASES[:3])
    return f"{phrase.format(thing)} {_on(background)}"


def plain_caption(label: str, background: str) -> str:
    """The caption that says it without ado: what evaluation asks for."""
    return f"{PHRASES[0].format(label)} {_on(background)}"


def _on(background: str) -> str:
    return f"on {'an' if background[0] in 'aeiou' else 'a'} {background} background"
