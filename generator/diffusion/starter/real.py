"""The real art as its judge sees it: what the recogniser learns from, and what it is tried on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from generator.diffusion.starter import recogniser
from generator.diffusion.starter.recipe import captions, scenes, stage
from generator.diffusion.starter.recipe.art import Art


@dataclass(frozen=True)
class RealArt:
    """Pieces of art, each alone on a plain ground. numbers [pieces]: which of the labels each is.

    chosen: the pieces that are drawn from.
    """

    pieces: tuple[Art, ...]
    numbers: Tensor
    painted_on: stage.Stage
    chosen: tuple[int, ...]

    @property
    def labels(self) -> int:
        return int(self.numbers.max()) + 1

    def only(self, style: str) -> RealArt:
        """The pieces of one style."""
        return replace(self, chosen=tuple(number for number in self.chosen if self.pieces[number].style == style))

    def without(self, style: str) -> RealArt:
        """The pieces of all other styles."""
        return replace(self, chosen=tuple(number for number in self.chosen if self.pieces[number].style != style))

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Some pieces, on grounds that the starter is trained on with them: what a recogniser learns from."""
        rng = random.Random(step)
        chosen = rng.choices(self.chosen, k=recogniser.BATCH)
        grounds = [rng.choice(captions.trained_backgrounds(self.pieces[number].label)) for number in chosen]
        return self._paint(chosen, grounds, step), self.numbers[chosen]

    def apart(self) -> tuple[Tensor, Tensor]:
        """Every piece on a ground on which no recogniser has seen it."""
        grounds = [captions.unseen_backgrounds(self.pieces[number].label)[0] for number in self.chosen]
        return self._paint(self.chosen, grounds, 0), self.numbers[list(self.chosen)]

    def _paint(self, chosen: Sequence[int], grounds: Sequence[str], seed: int) -> Tensor:
        told = [
            scenes.Scene((scenes.alone(number),), ground, "") for number, ground in zip(chosen, grounds, strict=True)
        ]
        return stage.paint_all(self.painted_on, told, torch.Generator().manual_seed(seed))


def collect(pieces: Sequence[Art]) -> RealArt:
    """The art at the recogniser's size; things of one name share a label, numbered as they come."""
    labels = {label: number for number, label in enumerate(dict.fromkeys(piece.label for piece in pieces))}
    everything = scenes.collect(pieces, recogniser.SIZE, recolour=False)
    numbers = torch.tensor([labels[piece.label] for piece in pieces])
    return RealArt(tuple(pieces), numbers, stage.build(everything, recogniser.SIZE), tuple(range(len(pieces))))
