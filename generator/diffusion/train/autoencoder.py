"""Training the patch autoencoder: what linear algebra gives at once, then its two networks by gradient descent.

Recipe and figures: docs/starter.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from torch import Tensor, nn

from generator.diffusion.starter.autoencoder import PatchAutoencoder
from generator.diffusion.train.cache import to_tensor
from generator.diffusion.train.data import in_order

# A PatchAutoencoder. mypy sees neither Module nor config in it, because diffusers builds its own modules lazily.
Autoencoder = Any

# Noise on the latents in training, so that the decoder forgives a denoiser's small errors.
LATENT_NOISE = 0.05
L1_WEIGHT = 0.5
GRADIENT_WEIGHT = 0.25
# Eigenvalues below this would be noise of the arithmetic, and dividing by their root would blow it up.
MIN_DEVIATION = 1e-3
# Pictures that the principal components are taken from: their 4x4 patches are a million.
PCA_PICTURES = 4096
# Pixels to a latent, each way.
FACTOR = 8


def make(size: int, latent_channels: int = 4, decoder: tuple[int, ...] = (3, 32, 64, 128)) -> Autoencoder:
    """The autoencoder trained from scratch here: factor 8 and 4 channels, as the diffusers ecosystem expects.

    decoder: its widths at full, half, quarter and eighth resolution.
    """
    return PatchAutoencoder(
        latent_channels=latent_channels,
        pool=2,
        encoder_channels=(64, 128),
        block_out_channels=decoder,
        sample_size=size,
    )


@torch.no_grad()
def start_from_pca(model: Autoencoder, pictures: Tensor) -> None:
    """Sets the linear half to the whitened principal components of `pictures` [N, 3, H, W] in -1..1, and the last layer
    of each network to zero, so that training starts from the linear half alone."""
    pooled = F.avg_pool2d(pictures, model.pool)
    patches = F.pixel_unshuffle(pooled, model.patch).permute(0, 2, 3, 1).flatten(0, 2).double()
    mean = patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
    # eigh sorts upwards; the strongest components come first here, as everybody expects of a PCA.
    chosen = torch.arange(len(values) - 1, len(values) - 1 - model.config.latent_channels, -1)
    model.mean.copy_(mean)
    model.basis.copy_(vectors[:, chosen])
    model.deviation.copy_(values[chosen].clamp_min(MIN_DEVIATION**2).sqrt())
    for network in (model.encoder, model.decoder):
        last = next(layer for layer in reversed(network) if isinstance(layer, nn.Conv2d))
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)


@dataclass(frozen=True)
class Draws:
    """A `loop.Draw` over `chosen` of `pixels` [N, H, W, 3] uint8: (pictures, noise of their latents' shape)."""

    pixels: np.ndarray
    chosen: np.ndarray
    latent_channels: int
    batch: int
    seed: int

    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        rows = self.chosen[in_order(index, self.batch, len(self.chosen), self.seed)]
        pictures = to_tensor(self.pixels[rows]).to(generator.device)
        height, width = (side // FACTOR for side in pictures.shape[-2:])
        shape = (len(rows), self.latent_channels, height, width)
        return pictures, torch.randn(shape, generator=generator, device=generator.device)


def loss(model: Autoencoder, pictures: Tensor, noise: Tensor) -> Tensor:
    """How far pictures [B, 3, H, W] in -1..1 are from what their latents keep: MSE + 0.5 L1 + 0.25 L1 of the gradients;
    the last two keep edges sharp."""
    # By its forward alone, which is all that several devices share.
    painted = model(pictures, return_dict=False, noise=LATENT_NOISE * noise)[0]
    difference = (painted - pictures).float()
    across, down = difference.diff(dim=-1).abs().mean(), difference.diff(dim=-2).abs().mean()
    return difference.square().mean() + L1_WEIGHT * difference.abs().mean() + GRADIENT_WEIGHT * (across + down)


@torch.no_grad()
def psnr(model: Autoencoder, pictures: Tensor) -> float:
    """Peak signal to noise of the way there and back, in decibels, over pictures [B, 3, H, W] in -1..1."""
    painted = model(pictures, return_dict=False)[0].clamp(-1, 1)
    return float(10 * torch.log10(4 / (painted - pictures).square().mean()))


@torch.no_grad()
def encode(model: Autoencoder, pictures: Tensor) -> Tensor:
    """Pictures [B, 3, H, W] in -1..1 -> latents as the denoiser sees them, scaled."""
    device = next(model.parameters()).device
    latents = model.encode(pictures.to(device), return_dict=False)[0].mode()
    return latents * model.config.scaling_factor


def set_scale(model: Autoencoder, pictures: Tensor) -> None:
    """Chooses the scaling factor that gives the latents of `pictures` [N, 3, H, W] a variance of one."""
    model.register_to_config(scaling_factor=1.0)
    deviation = torch.cat([encode(model, part) for part in pictures.split(32)]).std()
    model.register_to_config(scaling_factor=float(1 / deviation))
