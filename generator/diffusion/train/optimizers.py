"""Optimizers, learning rate and the moving average of weights, as plain functions of the step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

ADAM_BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
# torch's Muon then has the same update size as AdamW, so that one learning rate serves both (Liu et al. 2025,
# "Muon is Scalable for LLM Training", eq. 4).
MUON_ADJUSTMENT = "match_rms_adamw"


def make_optimizers(model: nn.Module, name: str, learning_rate: float) -> list[torch.optim.Optimizer]:
    """ "adamw": one optimizer. "muon": Muon for matrices, AdamW for all else (convolutions, norms, biases).

    Raises ValueError for another name.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if name == "adamw":
        return [_adamw(trained, learning_rate)]
    if name == "muon":
        # torch's Muon takes matrices only: Newton-Schulz orthogonalises nothing else.
        matrices = [parameter for parameter in trained if parameter.ndim == 2]
        others = [parameter for parameter in trained if parameter.ndim != 2]
        muon = torch.optim.Muon(matrices, lr=learning_rate, weight_decay=WEIGHT_DECAY, adjust_lr_fn=MUON_ADJUSTMENT)
        return [muon, _adamw(others, learning_rate)]
    raise ValueError(f"There is no optimizer “{name}”. Choose adamw or muon.")


def learning_rate_factor(step: int, *, steps: int, warmup: int, decay: int) -> float:
    """What the learning rate is multiplied by at `step` (from 1): up over `warmup` steps, down to zero over the last
    `decay` of `steps`. A pure function, so a run resumed with more steps, or told to decay now, just goes on."""
    up = min(1.0, step / warmup) if warmup else 1.0
    down = min(1.0, (steps - step + 1) / decay) if decay else 1.0
    return up * max(0.0, down)


def set_learning_rate(optimizers: Sequence[torch.optim.Optimizer], learning_rate: float) -> None:
    """The same learning rate for every group of every optimizer."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate


@torch.no_grad()
def update_average(average: Sequence[Tensor], current: Sequence[Tensor], decay: float, step: int) -> None:
    """Moves `average` towards `current`. Early on it follows faster, or it would long remember the random start."""
    get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(average, current, step)


def _adamw(parameters: list[nn.Parameter], learning_rate: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameters, lr=learning_rate, betas=ADAM_BETAS, weight_decay=WEIGHT_DECAY, fused=True)
