"""How like the samples are to the training pictures, seen by the model itself: features of its own denoiser.

Diffusion features, Tang et al. 2023 (arXiv:2306.03881): pictures of one thing have much the same activations in the
middle of a denoiser, at little noise and without words. Whoever has a better eye passes it as a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from generator.diffusion.train import families, pdq
from generator.diffusion.train.cache import to_tensor
from generator.diffusion.train.families import Pipeline
from generator.diffusion.train.objectives import Objective

# Pictures (RGB) -> [N, D]: what they look like, as directions; only cosines between them are used.
Look = Callable[[Sequence[Image.Image]], Tensor]

TIMESTEP = 0.261  # of all timesteps, as Tang et al. take it for what things are
TOGETHER = 8


class Features:
    """A `Look` by the denoiser of `pipeline`; call it while that is untaught. words: of the empty caption, [1, ...].

    What a plain grey picture shows is taken away, or all pictures would be much alike.
    """

    def __init__(
        self, pipeline: Pipeline, family: str, words: dict[str, Tensor], objective: Objective, size: int
    ) -> None:
        self.pipeline, self.family, self.words, self.objective, self.size = pipeline, family, words, objective, size
        self.grey = self._activations([Image.new("RGB", (size, size), (128, 128, 128))])

    def __call__(self, pictures: Sequence[Image.Image]) -> Tensor:
        parts = [self._activations(pictures[at : at + TOGETHER]) for at in range(0, len(pictures), TOGETHER)]
        return torch.nn.functional.normalize(torch.cat(parts) - self.grey, dim=1)

    @torch.no_grad()
    def _activations(self, pictures: Sequence[Image.Image]) -> Tensor:
        denoiser = families.denoiser_of(self.pipeline)
        edge = (self.size, self.size)
        pixels = to_tensor([np.asarray(ImageOps.fit(picture.convert("RGB"), edge)) for picture in pictures])
        mean, _deviation = families.moments(self.pipeline, pixels)
        x0 = families.scale(self.pipeline, mean)
        e = torch.randn(x0.shape[1:], generator=torch.Generator().manual_seed(0)).expand_as(x0)
        t = torch.full((len(x0),), TIMESTEP * self.objective.steps)
        t = t if self.objective.kept is None else t.long()
        noisy, _wanted, _weight = self.objective.disturb(x0, e, t)
        at = torch.tensor([[*edge, 0.0, 0.0, *edge]]).repeat(len(x0), 1)
        words = {name: tensor.expand(len(x0), *tensor.shape[1:]) for name, tensor in self.words.items()}
        seen: list[Tensor] = []

        def note(_module: Any, _given: Any, found: Any) -> None:
            hidden = found[-1] if isinstance(found, tuple) else found
            seen.append(hidden.float().flatten(2).mean(dim=2) if hidden.ndim == 4 else hidden.float().mean(dim=1))

        handle = _middle(denoiser).register_forward_hook(note)
        try:
            device = denoiser.device
            families.predict(denoiser, self.family, noisy.to(device), t.to(device), words, at.to(device))
        finally:
            handle.remove()
        return seen[0].cpu()


def likeness(looks: Tensor, training: Tensor) -> float:
    """Mean cosine between samples [N, D] and training pictures [M, D]."""
    one, other = (torch.nn.functional.normalize(each.float(), dim=1) for each in (looks, training))
    return float((one @ other.T).mean())


def drift(now: Tensor, before: Tensor) -> float:
    """Mean 1 - cosine between pictures of the same prompts and seeds [N, D], before and after; 0 without any."""
    if not len(now):
        return 0.0
    return max(0.0, float((1 - torch.nn.functional.cosine_similarity(now.float(), before.float(), dim=1)).mean()))


def nearest(samples: Sequence[Image.Image], hashes: Sequence[np.ndarray]) -> int:
    """The least number of bits of 256 by which a sample differs from a training picture, given by its PDQ hash."""
    return min((pdq.distance(pdq.hash_picture(sample), one) for sample in samples for one in hashes), default=256)


def _middle(denoiser: Any) -> torch.nn.Module:
    if hasattr(denoiser, "mid_block"):
        block: torch.nn.Module = denoiser.mid_block
        return block
    blocks = denoiser.transformer_blocks
    middle: torch.nn.Module = blocks[len(blocks) // 2]
    return middle
