"""Our training loop against a bare one in torch: what exact resume, averaging and telling cost."""

import os
import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

# Before torch is first imported: its threads spin while they wait, so that whatever else runs here would be measured.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from generator.diffusion import noise
from generator.diffusion.spec import Step
from generator.diffusion.train import denoiser, loop
from generator.diffusion.train.cache import Cache

BATCH = 24
# The first steps pay for allocations, compiled primitives and the optimizer's moments.
WARM_UP, ROUNDS = 3, 15
BAR = 0.95


def train_overhead() -> dict[str, Any]:
    """Pictures a second of our loop over a bare torch loop with the starter's denoiser: median of paired steps."""
    task = _task()
    bare_step = _bare(_task())
    ours, bare = [], []

    def on_step(step: Step) -> None:
        nonlocal began
        ours.append(perf_counter() - began)
        began = perf_counter()
        bare_step(step.index - 1)
        bare.append(perf_counter() - began)
        began = perf_counter()

    steps = WARM_UP + ROUNDS
    spec = loop.LoopSpec(steps=steps, batch=BATCH, precision="fp32", save_every=0, validate_every=0, log_every=1)
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        loop.train(task, spec, Path(folder), on_step)
    pairs = list(zip(ours, bare, strict=True))[WARM_UP:]
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    return {
        "value": round(BATCH / statistics.median(mine for mine, _ in pairs), 2),
        "unit": "pictures/s",
        "baseline": round(BATCH / statistics.median(theirs for _, theirs in pairs), 2),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "holds": ratio >= BAR,
    }


def _task() -> loop.Task:
    rng = np.random.default_rng(0)
    cache = Cache(
        rng.normal(size=(512, 4, 16, 16)).astype(np.float16),
        rng.normal(size=(64, 24, 384)).astype(np.float16),
        rng.integers(0, 63, 512),
        (*map(str, range(63)), ""),
    )
    torch.manual_seed(0)
    model = denoiser.make(denoiser.DenoiserSpec(), latent_channels=4, sample_size=16, text_width=384)
    kept = noise.kept_signal(noise.cosine_betas())
    return loop.Task(model, denoiser.Draws(cache, np.arange(512), kept, BATCH, 0), denoiser.loss)


def _bare(task: loop.Task) -> Any:
    """A step as anyone would write it: draw, loss, backward, clip, AdamW."""
    model = task.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, betas=(0.9, 0.98), fused=True)
    generator = torch.Generator().manual_seed(0)

    def step(index: int) -> None:
        loss = task.loss(model, *task.draw(index, generator))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()

    return step
