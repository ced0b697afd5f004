"""Latents -> small pictures, for next to nothing: one matrix product instead of the autoencoder.

A latent holds little more than the average colour of its patch, linearly mixed into its channels. The mix is found once
for each autoencoder, by least squares on a coloured picture that it encodes itself: no table to keep, and new families
work without one. The starter's pictures are small, so its latents are asked, with their neighbours, for every pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image
from torch import Tensor, nn

from generator.diffusion.starter.autoencoder import PatchAutoencoder

MAX_EDGE = 256
# Latents a side in the picture that colours are fitted on: 576 equations for a few dozen unknowns.
_FIT_SIDE = 24


@dataclass(frozen=True)
class LinearDecoder:
    """reach x reach latents [C * reach * reach] @ weight + bias -> a patch x patch block of RGB values, 0..255."""

    weight: Tensor
    bias: Tensor
    reach: int
    patch: int

    def __call__(self, latents: Tensor) -> Tensor:
        """[B, C, h, w] -> uint8 [B, h * patch, w * patch, 3] on the CPU."""
        batch, _, height, width = latents.shape
        blocks = torch.addmm(self.bias, _surroundings(latents.float(), self.reach), self.weight)
        blocks = blocks.clamp_(0, 255).to(torch.uint8).view(batch, height, width, self.patch, self.patch, 3)
        return blocks.transpose(2, 3).reshape(batch, height * self.patch, width * self.patch, 3).cpu()


_decoders: WeakKeyDictionary[nn.Module, LinearDecoder] = WeakKeyDictionary()


@torch.inference_mode()
def render(pipeline: DiffusionPipeline, latents: Tensor, *, noise: float, width: int, height: int) -> list[Image.Image]:
    """One RGB preview a picture, at most MAX_EDGE a side, of latents as `callback_on_step_end` hands them out.

    noise is the scheduler's noise level where its latents grow with it (see `noise_level`), else 0. width and height
    are those of the finished picture, which packed latents do not tell.
    """
    latents = _spatial(pipeline, latents, width, height) / (1 + noise**2) ** 0.5
    pictures = [Image.fromarray(pixels) for pixels in _decoder(pipeline, latents)(latents).numpy()]
    for picture in pictures:
        picture.thumbnail((MAX_EDGE, MAX_EDGE))
    return pictures


def noise_level(scheduler: Any) -> float:
    """The sigma of the latents x0 + sigma * noise that a scheduler has just made; 0 where it keeps their variance at 1.

    Schedulers of the second kind say so by starting from plain noise.
    """
    if float(getattr(scheduler, "init_noise_sigma", 1.0)) <= 1 or getattr(scheduler, "step_index", None) is None:
        return 0.0
    return float(scheduler.sigmas[min(scheduler.step_index, len(scheduler.sigmas) - 1)])


def _spatial(pipeline: DiffusionPipeline, latents: Tensor, width: int, height: int) -> Tensor:
    """[B, C, h, w], whether a family keeps its latents as tokens (FLUX) or as a clip of one frame (Qwen-Image)."""
    if latents.ndim == 3 and hasattr(pipeline, "_unpack_latents"):
        latents = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)
    if latents.ndim == 5:
        latents = latents[:, :, 0]
    if latents.ndim == 3:
        # Tokens of an unknown family: most are square patches in reading order.
        rows = max(1, round((latents.shape[1] * height / width) ** 0.5))
        columns = latents.shape[1] // rows
        latents = latents[:, : rows * columns].transpose(1, 2).unflatten(2, (rows, columns))
    return latents


def _decoder(pipeline: DiffusionPipeline, latents: Tensor) -> LinearDecoder:
    vae = getattr(pipeline, "vae", None)
    if vae is None:  # a family that diffuses pixels, or keeps its autoencoder under another name
        return _grey(latents)
    if vae not in _decoders or _decoders[vae].weight.device != latents.device:
        reach, patch = (3, 8) if isinstance(vae, PatchAutoencoder) else (1, 1)
        decoder = _fit(vae, latents.shape[1], reach, patch) or _grey(latents)
        # An autoencoder that waits on the CPU between runs has fitted there.
        weight, bias = decoder.weight.to(latents.device), decoder.bias.to(latents.device)
        _decoders[vae] = replace(decoder, weight=weight, bias=bias)
    return _decoders[vae]


def _fit(vae: Any, channels: int, reach: int = 1, patch: int = 1) -> LinearDecoder | None:
    """Colours by least squares, or None for an autoencoder of an unknown kind."""
    config = getattr(vae, "config", {})
    if not hasattr(vae, "encode") or getattr(vae, "dtype", None) is None or config.get("scaling_factor") is None:
        return None
    factor = 2 ** (len(config.get("block_out_channels", (0, 0, 0, 0))) - 1)
    picture = _colours(_FIT_SIDE * factor).to(vae.device)
    with in_range(vae):
        encoded = vae.encode(picture.to(vae.dtype))
    encoded = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent
    if encoded.ndim != 4 or encoded.shape[1] != channels or not encoded.isfinite().all():
        return None
    encoded = (encoded.float() - (config.get("shift_factor") or 0.0)) * config["scaling_factor"]
    rows = F.pad(_surroundings(encoded, reach), (0, 1), value=1.0)
    height, width = encoded.shape[-2:]
    blocks = F.adaptive_avg_pool2d(picture, (patch * height, patch * width))
    blocks = blocks.unfold(2, patch, patch).unfold(3, patch, patch).permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(0, 2)
    # A little ridge, for autoencoders whose channels repeat each other.
    ridge = 1e-3 * len(rows) * torch.eye(rows.shape[1], device=rows.device)
    solution = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ blocks)
    return LinearDecoder(*_to_bytes(solution[:-1], solution[-1]), reach, patch)


def _surroundings(latents: Tensor, reach: int) -> Tensor:
    """[B, C, h, w] -> [B * h * w, C * reach * reach]: each with its neighbours; at an edge it is its own."""
    padded = F.pad(latents, (reach // 2,) * 4, mode="replicate")
    return F.unfold(padded, reach).transpose(1, 2).flatten(0, 1)


@contextmanager
def in_range(vae: Any) -> Iterator[None]:
    """Some autoencoders (SDXL's) overflow in float16. Going to float32 and back changes none of their weights."""
    dtype = vae.dtype
    if dtype == torch.float16:
        vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(dtype)


def _grey(latents: Tensor) -> LinearDecoder:
    """Shapes without colours: the mean of the channels, unless these are the three of a picture."""
    channels = latents.shape[1]
    mean = torch.full((channels, 3), channels**-0.5, device=latents.device)
    weight = torch.eye(3, device=latents.device) if channels == 3 else mean
    return LinearDecoder(*_to_bytes(weight, torch.zeros(3, device=latents.device)), reach=1, patch=1)


def _to_bytes(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """From values in -1..1 to values in 0..255, with the half that makes cutting off the decimals a rounding."""
    return weight * 127.5, bias * 127.5 + 128.0


def _colours(side: int) -> Tensor:
    """[1, 3, side, side] in -1..1: clouds of colour from coarse to fine, cut into regions; always the same."""
    source = torch.Generator().manual_seed(0)

    def cloud(channels: int, cells: int) -> Tensor:
        noise = torch.randn(1, channels, cells, cells, generator=source)
        return F.interpolate(noise, size=(side, side), mode="bicubic")

    colours = torch.stack([cloud(3, cells) for cells in (2, 4, 8, 16)]).sum(0) * 0.5
    inside = torch.sigmoid(cloud(1, 9) * 40)  # outlines are what a preview is recognised by
    return torch.lerp(colours.flip(2, 3).roll(1, 1), colours, inside).clamp(-1, 1)
