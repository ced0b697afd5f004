"""What DreamBooth and textual inversion have in common: draws, loss and validation over prepared latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from generator.diffusion.train import buckets, families
from generator.diffusion.train.families import Pipeline, Words
from generator.diffusion.train.objectives import Objective
from generator.diffusion.train.prepared import Group, Prepared
from generator.diffusion.train.spec import FinetuneSpec

VALIDATED_TIMESTEPS = 4


class Learner(Protocol):
    """One way to teach. `model` holds what is trained and nothing else that is; `denoiser` is None where that is it."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def denoiser(self) -> nn.Module | None: ...

    def words(self, numbers: Tensor) -> Words:
        """What the denoiser is told for captions of these numbers [B]."""
        ...

    def save(self, folder: Path, metadata: Mapping[str, str]) -> Path:
        """Writes what was learned into `folder`, and says where."""
        ...

    def untaught(self) -> Any:
        """A block within which the pipeline's denoiser is as it was before."""
        ...

    def close(self) -> None:
        """Leaves the pipeline as it was."""
        ...


@dataclass(frozen=True)
class Draws:
    """A `loop.Draw`: (x_t, what should be predicted, weight, t, caption numbers, sizes), training rows first, then as
    many class pictures, whose loss weighs λ.

    Chance is drawn in the order of diffusers' train_dreambooth.py: latents, noise, timesteps; then captions left out.
    """

    spec: FinetuneSpec
    prepared: Prepared
    objective: Objective
    pipeline: Pipeline
    _shapes: list[tuple[int, int]] = field(init=False)
    _rows: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shapes", list(self.prepared.groups))
        sizes = [len(group) for group in self.prepared.groups.values()]
        starts = np.cumsum([0, *sizes])
        object.__setattr__(self, "_rows", [np.arange(first, end) for first, end in pairwise(starts)])

    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        spec, device = self.spec, generator.device
        rows = buckets.batch_of(index, spec.batch, self._rows, spec.seed)
        place = next(number for number, group in enumerate(self._rows) if rows[0] in group)
        shape = self._shapes[place]
        parts = [_take(self.prepared.groups[shape], rows - self._rows[place][0])]
        if self.prepared.prior:
            group = self.prepared.prior[shape]
            parts.append(_take(group, buckets.batch_of(index, spec.batch, [np.arange(len(group))], spec.seed)))
        mean, deviation, at, captions = (torch.cat(same).to(device) for same in zip(*parts, strict=True))
        chance = torch.randn(mean.shape, generator=generator, device=device)
        x0 = families.scale(self.pipeline, mean + deviation * chance)
        e = torch.randn(x0.shape, generator=generator, device=device)
        t = self.objective.draw(len(x0), (x0.shape[2], x0.shape[3]), generator)
        noisy, wanted, weight = self.objective.disturb(x0, e, t)
        if spec.caption_dropout:
            dropped = torch.rand(len(x0), generator=generator, device=device) < spec.caption_dropout
            captions = torch.where(dropped, len(self.prepared.captions) - 1, captions)
        share = torch.full((len(x0),), 1 / spec.batch, device=device)
        share[spec.batch :] *= spec.prior_weight
        return noisy, wanted, weight * share, t, captions, at


def make_loss(learner: Learner, family: str) -> Any:
    """loss(model, *drawn): Ruiz et al. 2022, eq. 2, or Gal et al. 2022, eq. 2, by what was drawn: a weighted sum over
    rows of their mean squared errors."""

    def loss(
        model: nn.Module, noisy: Tensor, wanted: Tensor, weight: Tensor, t: Tensor, captions: Tensor, at: Tensor
    ) -> Tensor:
        denoiser = learner.denoiser or model
        predicted = families.predict(denoiser, family, noisy, t, learner.words(captions), at)
        return ((predicted - wanted).square().flatten(1).mean(dim=1) * weight).sum()

    return loss


@torch.no_grad()
def validation_loss(
    learner: Learner, family: str, pipeline: Pipeline, prepared: Prepared, objective: Objective, seed: int
) -> float:
    """Mean squared error over the views held out, at timesteps spread evenly; the same noise every time."""
    generator = torch.Generator().manual_seed(seed)
    device = next(learner.model.parameters()).device
    loss, total, count = make_loss(learner, family), 0.0, 0
    for group in prepared.held_out.values():
        for row in range(len(group)):
            mean, _deviation, at, captions = _take(group, np.array([row]))
            x0 = families.scale(pipeline, mean)
            for t in objective.spread(VALIDATED_TIMESTEPS, (x0.shape[2], x0.shape[3])).split(1):
                e = torch.randn(x0.shape, generator=generator)
                noisy, wanted, _weight = objective.disturb(x0, e, t)
                parts = (noisy, wanted, torch.ones(1), t, captions, at)
                total += float(loss(learner.model, *(part.to(device) for part in parts)))
                count += 1
    return total / count


def _take(group: Group, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    places = torch.from_numpy(rows)
    return group.mean[places], group.deviation[places], group.at[places], group.captions[places]
