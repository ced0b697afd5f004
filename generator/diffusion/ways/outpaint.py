"""Extending a picture: a larger canvas whose margins are to be made anew."""

from __future__ import annotations

import numpy as np
from PIL import Image

from generator.diffusion.ways.geometry import Window
from generator.diffusion.ways.spec import Margins

GRAIN = 6.0  # standard deviation of the noise on the margins, of 255: flat colour would be taken for a wall
FEATHER = 0.06  # of a window's shorter side


def canvas(image: Image.Image, margins: Margins) -> tuple[Image.Image, Image.Image]:
    """(the picture with its margins, a mask of the margins). The margins go on with its edges, ever softer outwards."""
    pixels = np.asarray(image, np.float32)
    spread = ((margins.top, margins.bottom), (margins.left, margins.right), (0, 0))
    extended = np.pad(pixels, spread, mode="edge")
    rng = np.random.default_rng(0)  # always the same, so that a spec gives the same picture every time
    extended += rng.normal(0, GRAIN, extended.shape[:2])[..., None]
    whole = Image.fromarray(np.clip(extended, 0, 255).astype(np.uint8))
    whole.paste(image, (margins.left, margins.top))
    mask = Image.new("L", whole.size, 255)
    mask.paste(0, (margins.left, margins.top, margins.left + image.width, margins.top + image.height))
    return whole, mask


def feather(window: Window) -> int:
    """Over how many pixels new and old meet, in the margin."""
    left, top, right, bottom = window.hole
    return round(min(right - left, bottom - top) * FEATHER)
