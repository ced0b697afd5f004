"""What a checkpoint was trained to predict, read from its own scheduler's settings, and how each timestep counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from generator.diffusion import noise, schedulers
from generator.diffusion.spec import SpecError


@dataclass(frozen=True)
class Objective:
    """What is predicted, and over which timesteps.

    kept: ᾱ [T], None for flow matching. dynamic: (base, max) image lengths and shifts by which flow matching leans
    towards noise for large pictures, None for `shift` alone. min_snr: γ, 0 for none.
    timesteps: "uniform" or "logit_normal" (Esser et al. 2024, arXiv:2403.03206, eq. 19) with mean and deviation.
    """

    target: noise.Target
    kept: Tensor | None
    steps: int
    shift: float = 1.0
    dynamic: tuple[float, float, float, float] | None = None
    min_snr: float = 0.0
    timesteps: str = "uniform"
    mean: float = 0.0
    deviation: float = 1.0

    def draw(self, batch: int, latents: tuple[int, int], generator: torch.Generator) -> Tensor:
        """Timesteps [batch]: whole numbers from 0, or sigma · T for flow matching. latents: their height and width."""
        device = generator.device
        if self.kept is None or self.timesteps == "logit_normal":
            normal = torch.randn(batch, generator=generator, device=device)
            u = torch.sigmoid(normal * self.deviation + self.mean)
            return self.shifted(u, latents) * self.steps if self.kept is None else (u * self.steps).long()
        # As diffusers' train_text_to_image.py draws them.
        return torch.randint(0, self.steps, (batch,), generator=generator, device=device).long()

    def spread(self, count: int, latents: tuple[int, int]) -> Tensor:
        """`count` timesteps evenly over those that are trained, for validation."""
        u = (torch.arange(count) + 0.5) / count
        return self.shifted(u, latents) * self.steps if self.kept is None else (u * self.steps).long()

    def shifted(self, u: Tensor, latents: tuple[int, int]) -> Tensor:
        """Sigma for u in 0..1: larger pictures need more noise. Esser et al. 2024, eq. 23; FLUX's is exponential, over
        the number of 2 x 2 patches."""
        shift = self.shift
        if self.dynamic:
            low, high, base, most = self.dynamic
            shift = math.exp(base + (most - base) * (latents[0] * latents[1] / 4 - low) / (high - low))
        return shift * u / (1 + (shift - 1) * u)

    def disturb(self, x0: Tensor, e: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(x_t, what should be predicted, weight [B]) for latents x0 and noise e [B, C, h, w] at timesteps t [B]."""
        if self.kept is None:
            return noise.add_noise_by_flow(x0, e, t / self.steps), noise.flow(x0, e), torch.ones_like(t)
        kept = self.kept.to(x0.device)[t]
        wanted = e if self.target == "epsilon" else noise.velocity(x0, e, kept)
        weight = torch.ones_like(kept)
        if self.min_snr:
            weight = noise.min_snr_weights(noise.signal_to_noise(kept), self.target, self.min_snr)
        return noise.add_noise(x0, e, kept), wanted, weight


def read(config: Mapping[str, Any], **changes: Any) -> Objective:
    """The objective of a checkpoint with these scheduler settings. Raises SpecError for one that cannot be trained."""
    steps = int(config.get("num_train_timesteps", noise.TIMESTEPS))
    if schedulers.is_flow(config):
        dynamic = None
        if config.get("use_dynamic_shifting"):
            lengths = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
            dynamic = (*lengths, config.get("base_shift", 0.5), config.get("max_shift", 1.15))
        shift = float(config.get("flow_shift", config.get("shift", 1.0)) or 1.0)
        return Objective("flow", None, steps, shift, dynamic, **(changes | {"min_snr": 0.0}))
    target = config.get("prediction_type", "epsilon")
    if target not in ("epsilon", "v_prediction"):
        raise SpecError(f"This model predicts “{target}”, which cannot be taught here. Choose another model.")
    kept = DDPMScheduler.from_config(config).alphas_cumprod
    return Objective(target, kept, steps, **changes)
