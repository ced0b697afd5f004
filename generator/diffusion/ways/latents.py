"""Pictures as a family's own latents, and noise in their shape."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from PIL import Image
from torch import Tensor

from generator.diffusion.preview import in_range
from generator.diffusion.spec import CheckpointError
from generator.diffusion.ways.spec import Variation


def dtype_of(pipeline: Any) -> torch.dtype:
    """What a pipeline draws its noise in: its own dtype, but for Z-Image, which keeps latents in float32."""
    return torch.float32 if type(pipeline).__name__.startswith("ZImage") else pipeline.dtype


@torch.inference_mode()
def encode(pipeline: Any, image: Image.Image) -> Tensor:
    """A picture [H, W] as latents [1, C, h, w], scaled as the denoiser is used to; always the same ones.

    Raises CheckpointError for a family whose autoencoder only goes one way.
    """
    vae = getattr(pipeline, "vae", None)
    if vae is None or not hasattr(vae, "encode"):
        raise CheckpointError(f"A {type(pipeline).__name__} cannot start from a picture.")
    is_clip = type(vae).__name__ == "AutoencoderKLQwenImage"  # it takes pictures for clips of one frame
    pixels = to_pixels(image).to(pipeline._execution_device)
    with in_range(vae):
        pixels = pixels.to(vae.dtype)
        encoded = vae.encode(pixels[:, :, None] if is_clip else pixels)
    latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent
    latents = _normal(latents[:, :, 0] if is_clip else latents, vae.config)
    return latents.to(dtype_of(pipeline))


def _normal(latents: Tensor, config: Any) -> Tensor:
    """About unit variance, as the autoencoder's settings say: the reverse of what pipelines do before they decode."""
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    scale = config.get("scaling_factor") or 1.0
    if mean is not None and deviation is not None:
        shift, spread = (torch.tensor(values).view(1, -1, 1, 1).to(latents) for values in (mean, deviation))
        return (latents - shift) * scale / spread
    return (latents - (config.get("shift_factor") or 0.0)) * scale


def to_pixels(image: Image.Image) -> Tensor:
    """[1, 3, H, W] in -1..1."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None] / 127.5 - 1.0


def noise(
    pipeline: Any, size: tuple[int, int], generators: Sequence[torch.Generator], variation: Variation | None = None
) -> Tensor:
    """[B, C, h, w] for pictures of that size (width, height): the numbers that the pipeline itself would draw.

    A variation turns picture i towards the noise of its seed + i.
    """
    shape = (1, *latent_shape(pipeline, size))
    dtype = dtype_of(pipeline)
    drawn = [torch.randn(shape, generator=generator, dtype=dtype) for generator in generators]
    if variation:
        others = [torch.Generator().manual_seed(variation.seed + index) for index in range(len(drawn))]
        drawn = [
            slerp(own, torch.randn(shape, generator=other, dtype=dtype), variation.amount)
            for own, other in zip(drawn, others, strict=True)
        ]
    return torch.cat(drawn).to(pipeline._execution_device)


def latent_shape(pipeline: Any, size: tuple[int, int]) -> tuple[int, int, int]:
    """(C, h, w) of the latents of a picture of that size (width, height), before any packing."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    channels = denoiser.config.in_channels // (4 if is_packed(pipeline) else 1)
    factor = _factor(pipeline)
    return channels, size[1] // factor, size[0] // factor


def _factor(pipeline: Any) -> int:
    # Z-Image counts its patches into the factor that it makes sizes multiples of, but not into its latents.
    return int(pipeline.vae_scale_factor)


def drawn_size(pipeline: Any, size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) that is drawn for a text in that size: PixArt and Sana take the nearest of a list, and scale."""
    if "use_resolution_binning" not in inspect.signature(pipeline.__call__).parameters:
        return size
    edge = pipeline.transformer.config.sample_size * _factor(pipeline)
    ratios = getattr(sys.modules[type(pipeline).__module__], f"ASPECT_RATIO_{edge}_BIN")
    height, width = pipeline.image_processor.classify_height_width_bin(size[1], size[0], ratios=ratios)
    return width, height


def slerp(one: Tensor, other: Tensor, amount: float) -> Tensor:
    """Along the sphere that noise lies on (Shoemake 1985): a straight mix would be too quiet, and the picture grey."""
    if amount == 0:
        return one
    a, b = one.flatten().double(), other.flatten().double()
    angle = torch.arccos((a @ b / (a.norm() * b.norm())).clamp(-1, 1)).item()
    if math.sin(angle) < 1e-6:
        return one
    mixed = math.sin((1 - amount) * angle) * one.double() + math.sin(amount * angle) * other.double()
    return (mixed / math.sin(angle)).to(one.dtype)


def is_packed(pipeline: Any) -> bool:
    """Whether the denoiser takes latents as tokens of 2 x 2 (FLUX, Qwen-Image)."""
    return hasattr(pipeline, "_pack_latents")


def pack(pipeline: Any, latents: Tensor) -> Tensor:
    """[B, C, h, w] as the denoiser takes them."""
    return pipeline._pack_latents(latents, *latents.shape) if is_packed(pipeline) else latents


def free_latents(pipeline: Any, mask: Image.Image) -> Tensor:
    """[1, C, h, w] of 0 and 1, packed: 1 wherever a latent's patch holds anything white of a mask."""
    channels, height, width = latent_shape(pipeline, mask.size)
    values = torch.from_numpy(np.array(mask.convert("L"), np.float32))[None, None] / 255
    free = (F.adaptive_max_pool2d(values, (height, width)) > 0).to(dtype_of(pipeline))
    return pack(pipeline, free.expand(1, channels, height, width)).to(pipeline._execution_device)
