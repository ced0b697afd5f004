"""Two or four times as large, by Real-ESRGAN, tile by tile: what memory it takes does not depend on the picture."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from generator.diffusion import pipelines
from generator.diffusion.spec import LazyPreviews, Step
from generator.diffusion.ways import esrgan, geometry
from generator.diffusion.ways.image import flatten
from generator.diffusion.ways.spec import UpscaleSpec
from generator.diffusion.ways.steps import OnStep

PREVIEW_EDGE = 256
KEPT = 2  # networks
_kept: OrderedDict[tuple[str, float, torch.device], nn.Module] = OrderedDict()


def upscale(spec: UpscaleSpec, on_step: OnStep | None = None) -> Image.Image:
    """The larger picture, with its alpha if it had any; one Step a tile, whose preview is the picture as far as it is.

    The networks make four times as much; for twice, each tile is scaled down again, by the mean of four pixels.
    """
    source: Any = spec.image
    has_alpha = "A" in source.getbands()
    image = source.convert("RGB") if has_alpha else flatten(source)
    network, device = _network(spec.model)
    tile, shared = geometry.UPSCALE_TILE, geometry.UPSCALE_OVERLAP
    boxes = geometry.grid(image.size, (tile, tile), shared)
    pixels = np.asarray(image)
    width, height = image.size
    larger = np.zeros((height * spec.factor, width * spec.factor, 3), np.uint8)
    shown = image.copy()
    shown.thumbnail((PREVIEW_EDGE, PREVIEW_EDGE))
    for index, box in enumerate(boxes, 1):
        _fill(larger, pixels, _core(box, image.size, boxes), spec.factor, network, device)
        if on_step is not None:
            on_step(Step(index, len(boxes), LazyPreviews(1, partial(_preview, larger, shown.size))))
    made = Image.fromarray(larger)
    if has_alpha:
        made.putalpha(source.getchannel("A").resize(made.size, Image.Resampling.LANCZOS))
    return made


def _core(box: geometry.Box, size: geometry.Size, boxes: list[geometry.Box]) -> geometry.Box:
    """What of a tile is kept: from the middle of what it shares with the tile before to that of the one after."""
    spans = []
    for axis in (0, 1):
        starts = sorted({one[axis] for one in boxes})
        place = starts.index(box[axis])
        length = box[axis + 2] - box[axis]
        low = 0 if place == 0 else (starts[place - 1] + length + starts[place]) // 2
        high = size[axis] if place == len(starts) - 1 else (starts[place] + length + starts[place + 1]) // 2
        spans.append((low, high))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom


@torch.inference_mode()
def _fill(
    larger: np.ndarray, pixels: np.ndarray, core: geometry.Box, factor: int, network: nn.Module, device: torch.device
) -> None:
    """Makes one tile with its surroundings, of which only the tile is kept."""
    left, top, right, bottom = core
    around = geometry.UPSCALE_OVERLAP
    padded = np.pad(pixels, ((around, around), (around, around), (0, 0)), mode="edge")[
        top : bottom + 2 * around, left : right + 2 * around
    ]
    x = torch.from_numpy(padded.copy()).to(device).permute(2, 0, 1)[None].float() / 255
    made = network(x)[0]
    edge = around * esrgan.FACTOR
    made = made[:, edge:-edge, edge:-edge]
    if factor != esrgan.FACTOR:
        made = torch.nn.functional.avg_pool2d(made, esrgan.FACTOR // factor)
    larger[top * factor : bottom * factor, left * factor : right * factor] = _to_bytes(made)


def _to_bytes(values: Tensor) -> np.ndarray:
    return values.clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def _preview(larger: np.ndarray, size: geometry.Size) -> list[Image.Image]:
    return [Image.fromarray(larger).resize(size, Image.Resampling.BOX)]


def _network(model: str) -> tuple[nn.Module, torch.device]:
    """The network on the device that pictures are made on, kept for the next time."""
    device, _dtype = pipelines.choose_device()
    stamp = Path(model).stat().st_mtime if model and Path(model).exists() else 0.0
    key = (model, stamp, device)
    if key not in _kept:
        _kept[key] = esrgan.load(model).to(device)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key], device
