"""What pictures of the starter's art are called: things, styles, colours and places, in words."""

from __future__ import annotations

import hashlib
import random

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
# What is meant where nobody names a colour.
PLAIN_BACKGROUND = "white"
# How a caption may begin, by style; {} is the thing, with its article or without. The first is the plainest. Nothing
# said is the 3D style.
PHRASES = {
    "3d": ("3d render of {}", "3d icon of {}", "{}, 3d icon", "{} in 3d", "{}"),
    "flat": ("flat illustration of {}", "flat icon of {}", "{}, flat icon", "{}, flat design"),
    "cartoon": ("cartoon of {}", "cartoon drawing of {}", "{}, cartoon icon", "{}, cartoon style"),
    "minimal": ("minimal icon of {}", "simple emoji of {}", "{}, minimal emoji", "{}, minimal style"),
}
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
# Of these backgrounds a thing never sees two, in any style: what was held back tells whether words combine.
UNSEEN_BACKGROUNDS = 2


def unseen_backgrounds(label: str) -> tuple[str, ...]:
    """The backgrounds on which `label` is never trained: always the same ones, drawn by its name."""
    digest = hashlib.sha256(label.encode()).digest()
    return tuple(random.Random(digest).sample(sorted(BACKGROUNDS), UNSEEN_BACKGROUNDS))


def trained_backgrounds(label: str) -> list[str]:
    """The backgrounds on which `label` is trained."""
    unseen = unseen_backgrounds(label)
    return [background for background in BACKGROUNDS if background not in unseen]


def caption(thing: str, style: str, background: str, rng: random.Random) -> str:
    """ "3d render of a rocket on a navy blue background", in one of the style's wordings; no background said for ""."""
    named = with_article(thing) if rng.random() < 0.5 else thing
    text = rng.choice(PHRASES[style]).format(named)
    return f"{text} {on(background)}" if background else text


def plain_caption(label: str, background: str, style: str = "3d") -> str:
    """The caption that says it without ado: what evaluation asks for."""
    return f"{PHRASES[style][0].format(label)} {on(background)}"


def on(background: str) -> str:
    """ "on a navy blue background"."""
    return f"on {with_article(background)} background"


def with_article(thing: str) -> str:
    """ "apple" -> "an apple"."""
    return f"{'an' if thing[:1].lower() in 'aeiou' else 'a'} {thing}"
