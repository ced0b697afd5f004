"""A picture made larger and then drawn over, tile by tile, at low strength: detail that an upscale alone cannot have.

Each tile starts from the enlarged picture, with noise of its own, so that no pattern repeats. Where neighbours overlap
they are mixed, each fading to its edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from generator.diffusion.ways import geometry
from generator.diffusion.ways.inpaint import Draw
from generator.diffusion.ways.spec import HiresSpec, Outline, Start, UpscaleSpec
from generator.diffusion.ways.steps import OnStep, in_part
from generator.diffusion.ways.upscale import upscale


def refine(spec: HiresSpec, draw: Draw, on_step: OnStep | None) -> Image.Image:
    """The picture, `factor` times as large, RGB."""
    assert spec.draw.start is not None
    large = upscale(UpscaleSpec(image=spec.draw.start.image, factor=spec.factor, model=spec.upscaler)).convert("RGB")
    whole, tile, shared = geometry.hires_grid(spec)
    boxes = geometry.grid(whole, tile, shared)
    start = Start(image=Outline(tile), strength=spec.draw.start.strength)
    part = replace(spec.draw, width=tile[0], height=tile[1], start=start)
    total = np.zeros((whole[1], whole[0], 3), np.float32)
    weight = np.full((whole[1], whole[0], 1), 1e-6, np.float32)
    shown = large.copy()
    shown.thumbnail((256, 256))
    for index, box in enumerate(boxes):
        show = partial(_previews, shown, box, whole)
        tell = in_part(on_step, index, len(boxes), part.run_steps, show)
        [drawn] = draw(replace(part, seed=part.seed + index), tell, [_tile(large, box)])
        _add(total, weight, drawn, box, shared, whole)
        [shown] = _previews(shown, box, whole, [drawn])
    return Image.fromarray(np.rint(total / weight).clip(0, 255).astype(np.uint8))


def _tile(picture: Image.Image, box: geometry.Box) -> Image.Image:
    """A part of a picture, which may reach over its right and lower edge: these are carried on."""
    left, top, right, bottom = box
    inside = np.asarray(picture.crop((left, top, min(right, picture.width), min(bottom, picture.height))))
    missing = ((0, bottom - top - inside.shape[0]), (0, right - left - inside.shape[1]), (0, 0))
    return Image.fromarray(np.pad(inside, missing, mode="edge"))


def _add(
    total: np.ndarray, weight: np.ndarray, drawn: Image.Image, box: geometry.Box, shared: int, whole: geometry.Size
) -> None:
    left, top, right, bottom = box
    right, bottom = min(right, whole[0]), min(bottom, whole[1])
    across = _ramp(box[2] - box[0], shared, left > 0, box[2] < whole[0])[: right - left]
    down = _ramp(box[3] - box[1], shared, top > 0, box[3] < whole[1])[: bottom - top]
    share = (down[:, None] * across[None])[..., None]
    total[top:bottom, left:right] += share * np.asarray(drawn, np.float32)[: bottom - top, : right - left]
    weight[top:bottom, left:right] += share


def _ramp(length: int, shared: int, fades_in: bool, fades_out: bool) -> np.ndarray:
    """1 in the middle, falling towards the edges that have a neighbour."""
    ramp = np.ones(length, np.float32)
    slope = (np.arange(min(shared, length)) + 1) / (min(shared, length) + 1)
    if fades_in:
        ramp[: len(slope)] *= slope
    if fades_out:
        ramp[-len(slope) :] *= slope[::-1]
    return ramp


def _previews(
    shown: Image.Image, box: geometry.Box, whole: geometry.Size, frames: Sequence[Image.Image]
) -> list[Image.Image]:
    """The whole picture, small, with a tile as it is at the moment."""
    scale = shown.width / whole[0]
    left, top, right, bottom = (round(side * scale) for side in box)
    laid = shown.copy()
    laid.paste(frames[0].resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BOX), (left, top))
    return [laid]
