"""A picture without its background: RGBA, with soft edges."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from PIL import Image
from torch import Tensor

from generator.diffusion import pipelines
from generator.diffusion.spec import LazyPreviews, Step
from generator.diffusion.ways import matting
from generator.diffusion.ways.image import flatten
from generator.diffusion.ways.latents import to_pixels
from generator.diffusion.ways.spec import CutoutSpec
from generator.diffusion.ways.steps import OnStep

EDGE = 64  # pixels of the longer side at which the thing is told from its background: what the network was trained on
# The guided filter's window, as a part of the longer side, and how much contrast counts as an edge (of 1).
RADIUS, EDGE_CONTRAST = 0.03, 1e-3
PREVIEW_EDGE = 256


def cut_out(spec: CutoutSpec, on_step: OnStep | None = None) -> Image.Image:
    """The picture with an alpha channel: clear where its background was. One Step."""
    source: Any = spec.image
    image = flatten(source)
    device, _dtype = pipelines.choose_device()
    alpha = _alpha(to_pixels(image).to(device), _network(spec.model, _stamp(spec.model), device))
    made = _without_background(image, alpha)
    if on_step is not None:
        on_step(Step(1, 1, LazyPreviews(1, partial(_preview, made))))
    return made


@torch.inference_mode()
def _alpha(pixels: Tensor, network: matting.Matting) -> Tensor:
    """[H, W] in 0..1: told at a small size, then fitted to the edges of the picture itself."""
    height, width = pixels.shape[-2:]
    scale = EDGE / max(height, width)
    small = tuple(
        max(matting.MULTIPLE, round(side * scale / matting.MULTIPLE) * matting.MULTIPLE) for side in (height, width)
    )
    shrunk = F.interpolate(pixels, small, mode="bicubic", antialias=True).clamp(-1, 1)
    coarse = network(shrunk).sigmoid()
    whole = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    radius = round(RADIUS * max(height, width))
    fitted = guided(whole, pixels / 2 + 0.5, radius) if max(height, width) > EDGE and radius else whole
    # What is all but clear is clear, what is all but there is there.
    return ((fitted[0, 0] - 0.05) / 0.9).clamp(0, 1)


def guided(alpha: Tensor, picture: Tensor, radius: int) -> Tensor:
    """The guided filter (He et al. 2013, equations 5 to 8) with a grey guide: alpha [1, 1, H, W] follows its edges."""
    guide = picture.mean(1, keepdim=True)
    mean_guide, mean_alpha = _mean(guide, radius), _mean(alpha, radius)
    variance = _mean(guide * guide, radius) - mean_guide**2
    slope = (_mean(guide * alpha, radius) - mean_guide * mean_alpha) / (variance + EDGE_CONTRAST)
    offset = mean_alpha - slope * mean_guide
    return (_mean(slope, radius) * guide + _mean(offset, radius)).clamp(0, 1)


def _mean(values: Tensor, radius: int) -> Tensor:
    size = 2 * radius + 1
    rows = F.avg_pool2d(values, (size, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, size), 1, (0, radius), count_include_pad=False)


def _without_background(image: Image.Image, alpha: Tensor) -> Image.Image:
    """The picture with that alpha, its edges freed from the background's colour that shines through them."""
    cover = alpha.cpu().numpy()
    pixels = np.asarray(image, np.float32)
    own = _spread(pixels, cover > 0.95)
    soft = (cover > 0) & (cover <= 0.95)
    cleaned = np.where(soft[..., None], cover[..., None] * pixels + (1 - cover[..., None]) * own, pixels)
    made = Image.fromarray(np.clip(np.rint(cleaned), 0, 255).astype(np.uint8))
    made.putalpha(Image.fromarray(np.rint(cover * 255).astype(np.uint8)))
    return made


def _spread(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """[H, W, 3]: the colours of what is known, carried on into its surroundings."""
    weight = torch.from_numpy(known.astype(np.float32))[None, None]
    colour = torch.from_numpy(pixels).permute(2, 0, 1)[None] * weight
    radius = max(2, round(0.02 * max(known.shape)))
    near, amount = _mean(colour, radius), _mean(weight, radius)
    spread = (near / amount.clamp(min=1e-6))[0].permute(1, 2, 0).numpy()
    return np.where((amount[0, 0] > 1e-6).numpy()[..., None], spread, pixels)


def _preview(made: Image.Image) -> list[Image.Image]:
    small = made.copy()
    small.thumbnail((PREVIEW_EDGE, PREVIEW_EDGE))
    return [flatten(small)]


def _stamp(model: str) -> float:
    return Path(model).stat().st_mtime if model and Path(model).exists() else 0.0


@lru_cache(maxsize=2)
def _network(model: str, _stamp: float, device: torch.device) -> matting.Matting:
    return matting.load(model).to(device)
