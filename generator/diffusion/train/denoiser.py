"""The denoiser from scratch: its size, its draws and its loss, over cached latents and embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from generator.diffusion import noise
from generator.diffusion.spec import SpecError
from generator.diffusion.train.cache import Cache
from generator.diffusion.train.data import in_order

CAPTION_DROPOUT = 0.1
GROUPS = 16
# Timesteps are drawn as sigmoid(normal): shapes are decided where there is much noise.
TIMESTEP_MEAN, TIMESTEP_DEVIATION = 0.9, 1.1


@dataclass(frozen=True, kw_only=True)
class DenoiserSpec:
    """widths: channels at full, half, ... latent resolution. attention: at which of them the text is looked at.

    heads: attention heads at each of them.
    """

    widths: tuple[int, ...] = (64, 192, 256)
    attention: tuple[bool, ...] = (False, True, True)
    heads: tuple[int, ...] = (4, 8, 8)
    layers: int = 1

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.attention) == len(self.heads) >= 2:
            raise SpecError(
                "A denoiser needs a width, an attention and a number of heads for each of its two levels or more."
            )
        for width, heads in zip(self.widths, self.heads, strict=True):
            if width <= 0 or width % GROUPS or width % heads:
                raise SpecError(f"A width of {width} cannot be split into {GROUPS} groups and {heads} heads.")


def shape(widths: tuple[int, ...]) -> DenoiserSpec:
    """The usual shape for these widths: the text is looked at everywhere but at full resolution, where it would cost
    most and the timestep embedding carries it too."""
    below = len(widths) - 1
    return DenoiserSpec(widths=widths, attention=(False, *[True] * below), heads=(4, *[8] * below))


def make(spec: DenoiserSpec, *, latent_channels: int, sample_size: int, text_width: int) -> UNet2DConditionModel:
    """A UNet of diffusers' own, with the text in the timestep embedding of every layer too: it learns from that several
    times faster than from cross-attention alone, and no pipeline needs to know (the UNet pools the text itself)."""
    names = ["CrossAttnDownBlock2D" if attends else "DownBlock2D" for attends in spec.attention]
    return UNet2DConditionModel(
        sample_size=sample_size,
        in_channels=latent_channels,
        out_channels=latent_channels,
        layers_per_block=spec.layers,
        block_out_channels=spec.widths,
        down_block_types=tuple(names),
        up_block_types=tuple(name.replace("Down", "Up") for name in reversed(names)),
        cross_attention_dim=text_width,
        # diffusers calls the number of heads so, for the sake of old checkpoints.
        attention_head_dim=spec.heads,
        norm_num_groups=GROUPS,
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )


@dataclass(frozen=True)
class Draws:
    """A `loop.Draw` over `chosen` rows of a cache. Goes through them in a new order each time round.

    kept: ᾱ [T]. Draws (x_t, v, t, words): what goes in, what should come out.
    """

    cache: Cache
    chosen: np.ndarray
    kept: Tensor
    batch: int
    seed: int

    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        rows = self.chosen[in_order(index, self.batch, len(self.chosen), self.seed)]
        device = generator.device
        # The draws of chance come first and in this order: what a seed means must not depend on the data.
        normal = torch.randn(len(rows), generator=generator, device=device)
        dropped = torch.rand(len(rows), generator=generator, device=device) < CAPTION_DROPOUT
        x0 = torch.from_numpy(self.cache.latents[rows]).to(device, torch.float32)
        e = torch.randn(x0.shape, generator=generator, device=device)
        t = (torch.sigmoid(normal * TIMESTEP_DEVIATION + TIMESTEP_MEAN) * len(self.kept)).long()
        captions = np.where(dropped.cpu().numpy(), self.cache.empty, self.cache.caption_of[rows])
        words = torch.from_numpy(self.cache.words[captions]).to(device, torch.float32)
        kept = self.kept.to(device)[t]
        return noise.add_noise(x0, e, kept), noise.velocity(x0, e, kept), t, words


def loss(model: nn.Module, noisy: Tensor, target: Tensor, t: Tensor, words: Tensor) -> Tensor:
    """Mean squared error of the predicted velocity."""
    return F.mse_loss(model(noisy, t, words, return_dict=False)[0].float(), target)


@torch.no_grad()
def validation_loss(model: nn.Module, draws: Draws, count: int) -> float:
    """The loss over `count` of the draws' pictures with timesteps spread evenly; the same noise every time."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(draws.seed)
    rows = draws.chosen[torch.randperm(len(draws.chosen), generator=generator)[:count].numpy()]
    x0 = torch.from_numpy(draws.cache.latents[rows]).float()
    e = torch.randn(x0.shape, generator=generator)
    t = torch.linspace(0, len(draws.kept) - 1, len(rows)).round().long()
    kept = draws.kept[t]
    words = torch.from_numpy(draws.cache.words[draws.cache.caption_of[rows]]).float()
    parts = zip(
        *(
            tensor.to(device).split(draws.batch)
            for tensor in (noise.add_noise(x0, e, kept), noise.velocity(x0, e, kept), t, words)
        ),
        strict=True,
    )
    return sum(float(loss(model, *part)) * len(part[0]) for part in parts) / len(rows)
