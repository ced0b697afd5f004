"""Pieces of art laid on a plain ground with Pillow, and turned into other colours. As tensors, by the thousand:
stage.py."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image

from generator.diffusion.starter.recipe.captions import BACKGROUNDS

# How much of the square a thing alone fills, and how far from the middle it may stand.
ALONE = (0.78, 0.90)
ALONE_SPREAD = 0.03
# A thing has a colour of its own where this much of it is coloured and the hues agree this far (1: all the same).
MIN_COLOUR, MIN_AGREEMENT = 0.35, 0.9


def compose(picture: Image.Image, background: str, rng: random.Random, size: int) -> np.ndarray:
    """`picture` (RGBA) alone in the middle of a square of `size` pixels: RGB [size, size, 3] uint8."""
    canvas = Image.new("RGB", (size, size), BACKGROUNDS[background])
    middle = [0.5 + rng.uniform(-ALONE_SPREAD, ALONE_SPREAD) for _ in range(2)]
    side = round(size * rng.uniform(*ALONE))
    corner = tuple(round(size * place - side / 2) for place in middle)
    # Premultiplied, or the colour of clear pixels bleeds into the edges.
    scaled = picture.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
    canvas.paste(scaled, (corner[0], corner[1]), scaled)
    return np.asarray(canvas)


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


def _hsv(picture: Image.Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in degrees, saturation and value 0..1, each [H, W]."""
    hue, saturation, value = np.asarray(picture.convert("RGB").convert("HSV"), np.float32).transpose(2, 0, 1)
    return hue * (360 / 256), saturation / 255, value / 255
