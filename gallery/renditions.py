"""Pure image operations: bytes of originals, tiles and filmstrips. Knows no models."""

import io
import json
from collections.abc import Sequence
from typing import Any

from PIL import Image, PngImagePlugin

TILE_EDGE = 512  # pixels of the longest edge: a row of four on a wide screen, twice that on a phone
FRAME_EDGE = 128


def png_with_recipe(image: Image.Image, recipe: dict[str, Any]) -> bytes:
    """A PNG whose iTXt chunk "atelier" holds the recipe as JSON, so that a file alone tells how it was made."""
    facts = PngImagePlugin.PngInfo()
    facts.add_itxt("atelier", json.dumps(recipe, ensure_ascii=False))
    facts.add_itxt("Software", "Atelier")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=facts)
    return buffer.getvalue()


def tile(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """(WebP, (width, height)), never larger than the original."""
    small = image.copy()
    small.thumbnail((TILE_EDGE, TILE_EDGE), Image.Resampling.LANCZOS)
    return _webp(small, 88), small.size


def filmstrip(frames: Sequence[Image.Image], last: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """(WebP, (width, height)) of all `frames` side by side, the finished picture in the place of the last one."""
    size = _within(last.size, FRAME_EDGE)
    sprite = Image.new("RGB", (size[0] * len(frames), size[1]))
    for place, frame in enumerate([*frames[:-1], last]):
        sprite.paste(
            frame if frame.size == size else frame.resize(size, Image.Resampling.BICUBIC), (place * size[0], 0)
        )
    return _webp(sprite, 70), sprite.size


def _within(size: tuple[int, int], edge: int) -> tuple[int, int]:
    scale = min(1.0, edge / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()
