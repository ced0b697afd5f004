"""The starter's autoencoder: whitened PCA of patches, plus a small residual network on each side.

Linear algebra alone gives most of the picture (23 dB at 64 px), so the networks only have to learn what it leaves out.
It trains in minutes where `AutoencoderKL` takes days.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import AutoencoderMixin, DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from torch import Tensor, nn


class Residual(nn.Module):
    """x + conv(silu(conv(silu(norm(x))))), channels and size unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))


class PatchAutoencoder(ModelMixin, AutoencoderMixin, ConfigMixin):
    """[B, 3, H, W] in -1..1 <-> latents [B, C, H/8, W/8], about unit variance in each channel.

    latent_channels: C.
    pool: the linear half sees pictures averaged pool x pool, in patches of 8/pool. 1 keeps every pixel; 2 suits few
        channels, whose fine detail is then left to the decoder's network.
    encoder_channels: widths of the encoder's network at a quarter and an eighth of the resolution.
    block_out_channels: channels of the decoder at full, half, quarter and eighth resolution. Pipelines read the scale
        factor off its length.
    scaling_factor: pipelines multiply latents with it after encoding and divide by it before decoding.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        pool: int = 1,
        encoder_channels: tuple[int, int] = (64, 128),
        block_out_channels: tuple[int, int, int, int] = (3, 64, 96, 128),
        scaling_factor: float = 1.0,
        sample_size: int = 64,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.patch = 2 ** (len(block_out_channels) - 1) // pool
        values = 3 * self.patch**2
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("basis", torch.zeros(values, latent_channels))
        self.register_buffer("deviation", torch.ones(latent_channels))

        quarter, eighth = encoder_channels
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, quarter, 1),
            Residual(quarter),
            Residual(quarter),
            nn.Conv2d(quarter, eighth, 2, stride=2),
            Residual(eighth),
            nn.Conv2d(eighth, latent_channels, 1),
        )
        widths = block_out_channels[::-1]
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, widths[0], 3, padding=1)]
        for width, narrower in pairwise(widths):
            # The last one paints pixels, so it alone looks at its neighbours on the way up.
            kernel = 3 if narrower == widths[-1] else 1
            layers += [Residual(width), Residual(width)]
            layers += [nn.Conv2d(width, 4 * narrower, kernel, padding=kernel // 2), nn.PixelShuffle(2)]
        self.decoder = nn.Sequential(*layers)

    def encode(self, x: Tensor, return_dict: bool = True) -> AutoencoderKLOutput | tuple[DiagonalGaussianDistribution]:
        """Pictures [B, 3, H, W] in -1..1 -> `latent_dist` over [B, C, H/8, W/8], all of it at its mean."""
        pooled = F.avg_pool2d(x, self.pool)
        patches = F.pixel_unshuffle(pooled, self.patch).permute(0, 2, 3, 1)
        linear = ((patches - self.mean) @ self.basis / self.deviation).permute(0, 3, 1, 2)
        latents = linear + self.encoder(x)
        distribution = DiagonalGaussianDistribution(
            torch.cat([latents, torch.zeros_like(latents)], dim=1), deterministic=True
        )
        return AutoencoderKLOutput(latent_dist=distribution) if return_dict else (distribution,)

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Latents [B, C, h, w] -> `sample` [B, 3, 8h, 8w], about -1..1. `generator` is there for pipelines, unused."""
        patches = (z.permute(0, 2, 3, 1) * self.deviation) @ self.basis.T + self.mean
        linear = F.pixel_shuffle(patches.permute(0, 3, 1, 2), self.patch)
        sample = F.interpolate(linear, scale_factor=float(self.pool), mode="nearest") + self.decoder(z)
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def forward(
        self, sample: Tensor, return_dict: bool = True, noise: Tensor | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """There and back again: pictures [B, 3, H, W] -> what the latents keep of them. `noise` is added to those."""
        latents = self.encode(sample, return_dict=False)[0].mode()
        return self.decode(latents if noise is None else latents + noise, return_dict=return_dict)
