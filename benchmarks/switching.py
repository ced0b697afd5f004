"""Going from one model to another: seconds until the first step, loaded already against loaded anew."""

import shutil
import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

ROUNDS = 3
BAR = 0.5  # of the seconds that it takes cold


def switch_s() -> dict[str, Any]:
    """From the request to the end of the first step after another model has drawn; the baseline loads it first."""
    from generator.diffusion import pipelines
    from generator.diffusion.sampling import generate
    from generator.diffusion.spec import ImageSpec
    from generator.diffusion.starter.assemble import assemble

    with tempfile.TemporaryDirectory() as root:
        folders = [assemble(Path(root, "one")), Path(root, "two")]
        shutil.copytree(*folders, symlinks=True)
        specs = [
            ImageSpec(checkpoint=str(folder), prompt="a red apple, 3d icon", width=128, height=128, steps=1)
            for folder in folders
        ]
        warm, cold = [], []
        for turn in range(ROUNDS + 1):
            pipelines.unload()
            began = perf_counter()
            generate(specs[turn % 2])
            cold.append(perf_counter() - began)
            generate(specs[1 - turn % 2])
            began = perf_counter()
            generate(specs[turn % 2])
            warm.append(perf_counter() - began)
        pipelines.unload()
    value, baseline = statistics.median(warm[1:]), statistics.median(cold[1:])
    ratio = value / baseline
    return {
        "value": round(value, 3),
        "unit": "s",
        "baseline": round(baseline, 3),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "holds": ratio <= BAR,
    }
