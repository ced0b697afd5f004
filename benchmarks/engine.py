"""The engine against the bare diffusers pipeline: what steps, previews and their encoding cost."""

import io
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

# Before torch is first imported: its threads spin while they wait, so that whatever else runs here would be measured.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import ImageSpec, Step
from generator.diffusion.starter.assemble import assemble

ROUNDS = 7
BAR = 1.05


def engine_overhead() -> dict[str, Any]:
    """Seconds for 4 pictures of 50 steps with all previews as WebP, over the pipeline alone: median of ratios."""
    with tempfile.TemporaryDirectory() as home:
        spec = ImageSpec(
            checkpoint=str(assemble(Path(home) / "starter")),
            prompt="a red apple, 3d icon",
            width=64,
            height=64,
            count=4,
            steps=50,
            guidance=3.0,
        )
        pipeline = pipelines.load(spec.checkpoint)
        runs = (lambda: _bare(pipeline, spec), lambda: generate(spec, _encode))
        for run in runs:  # the first of each pays for allocations and compiled primitives
            run()
        bare, ours = _interleaved(*runs)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    return {
        "value": round(statistics.median(ours), 3),
        "unit": "s",
        "baseline": round(statistics.median(bare), 3),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "holds": ratio <= BAR,
    }


def _bare(pipeline: Any, spec: ImageSpec) -> None:
    """The same pictures, by the pipeline as anyone would call it."""
    pipeline(
        spec.prompt,
        width=spec.width,
        height=spec.height,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        num_images_per_prompt=spec.count,
        generator=[torch.Generator().manual_seed(seed) for seed in spec.seeds],
    )


def _encode(step: Step) -> None:
    for preview in step.previews:
        preview.save(io.BytesIO(), "WEBP", quality=75, method=0)


def _interleaved(*runs: Callable[[], object]) -> list[list[float]]:
    """Seconds of each run, taken in turns that change direction, so that a busy machine is unfair to none."""
    seconds: list[list[float]] = [[] for _ in runs]
    for turn in range(ROUNDS):
        order = range(len(runs)) if turn % 2 else reversed(range(len(runs)))
        for index in order:
            started = perf_counter()
            runs[index]()
            seconds[index].append(perf_counter() - started)
    return seconds


if __name__ == "__main__":
    row = {"name": "engine_overhead", **engine_overhead()}
    print(json.dumps(row))
    sys.exit(0 if row["holds"] else 1)
