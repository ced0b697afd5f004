"""The forward process of diffusion: schedules, what a denoiser is asked to predict, and how the loss is weighted.

Pure functions over tensors. Timesteps count from 0 to T - 1; `kept` is ᾱ_t of Ho et al. 2020 (arXiv:2006.11239), the
share of the signal's variance that is left at timestep t. x0 is the picture's latents, x_t the noisy ones, e the noise.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Target = Literal["epsilon", "v_prediction", "flow"]
TIMESTEPS = 1000
# The cosine schedule's last steps would destroy everything at once: Nichol & Dhariwal 2021, after eq. 17.
MAX_BETA = 0.999
COSINE_OFFSET = 0.008


def linear_betas(timesteps: int = TIMESTEPS, start: float = 1e-4, end: float = 0.02) -> Tensor:
    """Variances rising evenly, [T]. Ho et al. 2020, section 4."""
    return torch.linspace(start, end, timesteps, dtype=torch.float32)


def scaled_linear_betas(timesteps: int = TIMESTEPS, start: float = 0.00085, end: float = 0.012) -> Tensor:
    """Variances whose roots rise evenly, [T]. Rombach et al. 2022 (arXiv:2112.10752), as in Stable Diffusion's code."""
    return torch.linspace(start**0.5, end**0.5, timesteps, dtype=torch.float32) ** 2


def cosine_betas(timesteps: int = TIMESTEPS) -> Tensor:
    """Variances such that ᾱ follows a squared cosine, [T]. Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. 17."""

    def share(progress: float) -> float:
        return math.cos((progress + COSINE_OFFSET) / (1 + COSINE_OFFSET) * math.pi / 2) ** 2

    ratios = [share((step + 1) / timesteps) / share(step / timesteps) for step in range(timesteps)]
    return torch.tensor([min(1 - ratio, MAX_BETA) for ratio in ratios], dtype=torch.float32)


def kept_signal(betas: Tensor) -> Tensor:
    """ᾱ_t, the product of 1 - β up to t, [T]. Ho et al. 2020, between eq. 3 and 4."""
    return torch.cumprod(1 - betas, dim=0)


def zero_terminal_snr(betas: Tensor) -> Tensor:
    """Betas rescaled so that the last timestep is noise alone, [T]. Lin et al. 2023 (arXiv:2305.08891), algorithm 1."""
    roots = kept_signal(betas).sqrt()
    first, last = roots[0].clone(), roots[-1].clone()
    kept = ((roots - last) * first / (first - last)) ** 2
    return 1 - torch.cat([kept[:1], kept[1:] / kept[:-1]])


def signal_to_noise(kept: Tensor) -> Tensor:
    """SNR(t) = ᾱ_t / (1 - ᾱ_t), any shape. Kingma et al. 2021 (arXiv:2107.00630), eq. 2."""
    return kept / (1 - kept)


def add_noise(x0: Tensor, e: Tensor, kept: Tensor) -> Tensor:
    """x_t = √ᾱ_t x0 + √(1 - ᾱ_t) e, [B, ...]; kept [B]. Ho et al. 2020, eq. 4."""
    kept = _spread(kept, x0)
    return kept.sqrt() * x0 + (1 - kept).sqrt() * e


def velocity(x0: Tensor, e: Tensor, kept: Tensor) -> Tensor:
    """v = √ᾱ_t e - √(1 - ᾱ_t) x0, [B, ...]; kept [B]. Salimans & Ho 2022 (arXiv:2202.00512), appendix D."""
    kept = _spread(kept, x0)
    return kept.sqrt() * e - (1 - kept).sqrt() * x0


def add_noise_by_flow(x0: Tensor, e: Tensor, sigma: Tensor) -> Tensor:
    """x_σ = (1 - σ) x0 + σ e, [B, ...]; sigma [B] in 0..1. Lipman et al. 2023 (arXiv:2210.02747), eq. 22; Esser et al.
    2024 (arXiv:2403.03206), eq. 13."""
    sigma = _spread(sigma, x0)
    return (1 - sigma) * x0 + sigma * e


def flow(x0: Tensor, e: Tensor) -> Tensor:
    """The straight way's velocity e - x0, [B, ...]. Lipman et al. 2023, eq. 23, with time running towards the noise."""
    return e - x0


def min_snr_weights(snr: Tensor, target: Target, gamma: float = 5.0) -> Tensor:
    """Loss weights, any shape: min(SNR, γ) in terms of x0, restated for what is predicted. Hang et al. 2023
    (arXiv:2303.09556), section 3.4. Raises ValueError for flow matching, which has no such weights."""
    capped = snr.clamp(max=gamma)
    if target == "epsilon":
        return capped / snr
    if target == "v_prediction":
        return capped / (snr + 1)
    raise ValueError("min-SNR weighting is for epsilon and v_prediction.")


def _spread(values: Tensor, like: Tensor) -> Tensor:
    """[B] -> [B, 1, 1, ...], as many axes as `like` has."""
    return values.to(like).view(-1, *[1] * (like.ndim - 1))
