"""Scenes painted as tensors, on whatever device trains: a thousand a second on a processor, a hundred times that on a
GPU, so that no two steps see the same picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from PIL import Image
from torch import Tensor

from generator.diffusion.starter.recipe.captions import BACKGROUNDS
from generator.diffusion.starter.recipe.scenes import Scene, Set

# Things smaller than this share of the side are painted from pictures of half the size, or their edges would flicker.
HALF = 0.5


@dataclass(frozen=True)
class Stage:
    """What scenes are painted with: cutouts premultiplied [N, 4, S, S] and at half the size, uint8, and grounds [G, 3]
    in 0..1."""

    full: Tensor
    half: Tensor
    grounds: Tensor

    @property
    def size(self) -> int:
        return self.full.shape[-1]

    def to(self, device: torch.device) -> Stage:
        return Stage(*(tensor.to(device) for tensor in (self.full, self.half, self.grounds)))

    def paint(self, cast: Cast, generator: torch.Generator) -> Tensor:
        """The scenes of a cast: pictures [B, 3, S, S] in -1..1, each thing where chance puts it within its bounds."""
        count, layers = cast.cutouts.shape
        chance = torch.rand(count, layers, 3, generator=generator, device=cast.cutouts.device)
        middle = cast.middles + (2 * chance[..., :2] - 1) * cast.spreads
        share = torch.lerp(cast.shares[..., 0], cast.shares[..., 1], chance[..., 2])
        canvas = self.grounds[cast.grounds][:, :, None, None].expand(-1, -1, self.size, self.size)
        for layer in range(layers):
            # Both, and then a choice: picking rows would make a GPU wait for the processor at every step.
            which, place = cast.cutouts[:, layer], (middle[:, layer], share[:, layer])
            large, small = (_lay(pictures[which.clamp(0)], *place, self.size) for pictures in (self.full, self.half))
            thing = torch.where((cast.shares[:, layer, 1] < HALF)[:, None, None, None], small, large)
            thing = thing * (which >= 0)[:, None, None, None]
            canvas = canvas * (1 - thing[:, 3:]) + thing[:, :3]
        return canvas * 2 - 1


@dataclass(frozen=True)
class Cast:
    """Scenes as numbers: cutouts [B, L] (-1: none), middles and spreads [B, L, 2], shares [B, L, 2], grounds [B]."""

    cutouts: Tensor
    middles: Tensor
    spreads: Tensor
    shares: Tensor
    grounds: Tensor

    def __len__(self) -> int:
        return len(self.grounds)

    def __getitem__(self, rows: Tensor) -> Cast:
        return Cast(*(tensor[rows] for tensor in self._tensors()))

    def to(self, device: torch.device) -> Cast:
        return Cast(*(tensor.to(device) for tensor in self._tensors()))

    def _tensors(self) -> tuple[Tensor, ...]:
        return self.cutouts, self.middles, self.spreads, self.shares, self.grounds


def build(everything: Set, size: int) -> Stage:
    """The stage for pictures of `size` pixels."""
    full, half = (
        torch.from_numpy(np.stack([_premultiplied(cutout.picture, side) for cutout in everything.cutouts]))
        for side in (size, size // 2)
    )
    return Stage(full, half, torch.tensor(list(BACKGROUNDS.values()), dtype=torch.float32) / 255)


def cast(scenes: Iterable[Scene]) -> Cast:
    """Scenes as numbers."""
    told = list(scenes)
    layers = max(len(scene.laid) for scene in told)
    places = {name: place for place, name in enumerate(BACKGROUNDS)}
    cutouts = np.full((len(told), layers), -1, np.int64)
    numbers = np.zeros((3, len(told), layers, 2), np.float32)
    numbers[2] = 1  # nothing is divided by the size of what is not there
    for row, scene in enumerate(told):
        for layer, laid in enumerate(scene.laid):
            cutouts[row, layer] = laid.cutout
            numbers[:, row, layer] = laid.middle, laid.spread, laid.share
    grounds = torch.tensor([places[scene.background] for scene in told])
    middles, spreads, shares = (torch.from_numpy(part) for part in numbers)
    return Cast(torch.from_numpy(cutouts), middles, spreads, shares, grounds)


def _lay(pictures: Tensor, middle: Tensor, share: Tensor, size: int) -> Tensor:
    """Premultiplied pictures [B, 4, s, s] uint8 -> [B, 4, size, size] in 0..1, each `share` of the side around its
    middle [B, 2], 0..1 across and down; nothing around it."""
    steps = (torch.arange(size, device=pictures.device, dtype=torch.float32) + 0.5) / size
    # Where each pixel of the canvas looks in its picture, -1..1 from edge to edge.
    across, down = ((steps - middle[:, axis, None]) / share[:, None] * 2 for axis in (0, 1))
    grid = torch.stack((across[:, None, :].expand(-1, size, -1), down[:, :, None].expand(-1, -1, size)), dim=-1)
    return F.grid_sample(pictures.float() / 255, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _premultiplied(picture: Image.Image, side: int) -> np.ndarray:
    scaled = picture.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS)
    # Pillow keeps RGBa to itself: its bytes are what is wanted.
    return np.frombuffer(scaled.tobytes(), np.uint8).reshape(side, side, 4).transpose(2, 0, 1).copy()


def to_pictures(painted: Tensor) -> list[Image.Image]:
    """Pictures [B, 3, S, S] in -1..1 as Pillow's."""
    pixels = painted.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(one) for one in pixels]


def paint_all(stage: Stage, scenes: Sequence[Scene], generator: torch.Generator) -> Tensor:
    """Scenes painted one batch, where the stage is: [B, 3, S, S] in -1..1."""
    return stage.paint(cast(scenes).to(stage.full.device), generator)
