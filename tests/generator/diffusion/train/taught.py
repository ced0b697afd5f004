"""A few small pictures of one thing, and specs to teach them to the tiny pipelines."""

from pathlib import Path

import numpy as np
from PIL import Image

from generator.diffusion.train.planning import make
from generator.diffusion.train.spec import FinetuneSpec

SIZE = 64


def draw_pictures(folder: Path, sizes=((80, 80), (110, 70), (72, 72), (108, 72))) -> Path:
    """Blotches of colour, two of them wide; captions in a table."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for number, size in enumerate(sizes):
        blotches = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        blotches.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.png")
        lines.append(f'{{"file_name": "{number}.png", "text": "a cup on {("red", "blue")[number % 2]}"}}')
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    return folder


def plan(checkpoint: Path, pictures: Path, family: str, method: str = "lora", **changes) -> FinetuneSpec:
    """A few steps with every part of training in use."""
    given = {
        "size": SIZE,
        "steps": 8,
        "points": 2,
        "batch": 2,
        "views": 2,
        "rank": 4,
        "warmup": 2,
        "decay": 4,
        "learning_rate": 1e-2,
        "caption_dropout": 0.1,
        "sample_steps": 2,
        "samples": ("a {}",),
        "others": ("a cat",),
        "save_every": 3,
        "gradient_checkpointing": False,
    }
    given |= {"prior_pictures": 2} if method != "embedding" else {"vectors": 2}
    return make(
        str(checkpoint),
        str(pictures),
        count=4,
        name="Our cup",
        noun="cup",
        family=family,
        method=method,
        **(given | changes),
    )
