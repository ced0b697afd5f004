"""Image to image: the picture that a run starts from, fitted to the size that is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from PIL import Image, ImageOps

from generator.diffusion.spec import ImageSpec
from generator.diffusion.ways import latents
from generator.diffusion.ways.late import Entry


def enter(
    pipeline: Any, spec: ImageSpec, generators: Sequence[torch.Generator], starts: Sequence[Image.Image] | None
) -> Entry | None:
    """Where a spec that starts from a picture begins; None for all others. Picture i begins at starts[i]."""
    if spec.start is None:
        return None
    size = (spec.width, spec.height)
    pictures = list(starts or [cast(Image.Image, spec.start.image)] * spec.count)
    codes: dict[int, torch.Tensor] = {}
    for picture in pictures:
        if id(picture) not in codes:
            codes[id(picture)] = latents.encode(pipeline, fit(picture, size))
    noise = latents.noise(pipeline, size, generators, spec.variation)
    return Entry(
        latents=latents.pack(pipeline, torch.cat([codes[id(picture)] for picture in pictures])),
        noise=latents.pack(pipeline, noise),
        steps=spec.steps,
        run=spec.run_steps,
        free=latents.free_latents(pipeline, cast(Image.Image, spec.mask.image)) if spec.mask else None,
    )


def flatten(image: Image.Image) -> Image.Image:
    """RGB; what is clear becomes white, as on paper."""
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """RGB of that size (width, height): scaled, and cropped around the middle where the proportions differ."""
    image = flatten(image)
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)
