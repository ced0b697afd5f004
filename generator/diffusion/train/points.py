"""The points of a training that are kept: what was learned by then, samples at fixed seeds, and measures; and which one
to take. Imports no torch."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

FACTS, SAMPLES, OTHERS = "point.json", "sample", "other"
# Bits of 256 by which copies differ at most: pdq.DUPLICATE, which needs numpy.
COPY = 31
MAX_DRIFT = 0.25  # of the other prompts' pictures, 1 - cosine
WORSE = 1.15  # times the lowest validation loss
AS_GOOD = 0.05  # of the way from "before" to the likest


@dataclass(frozen=True)
class Measures:
    """How a point does. Similarities are cosines.

    validation: loss over held-out views. likeness: of samples to the training pictures.
    nearest: bits of 256 that the nearest training picture differs by; small is a copy. drift: of other prompts'
    pictures from what they were before.
    """

    validation: float
    likeness: float
    nearest: int
    drift: float


@dataclass(frozen=True)
class Point:
    """A kept point; step 0 is “before”. folder holds lora.safetensors, embedding.safetensors or the denoiser."""

    step: int
    folder: Path
    measures: Measures

    @property
    def samples(self) -> list[Path]:
        return sorted(self.folder.glob(f"{SAMPLES}-*.png"))

    @property
    def others(self) -> list[Path]:
        return sorted(self.folder.glob(f"{OTHERS}-*.png"))

    @property
    def is_overfitted(self) -> bool:
        return self.measures.nearest <= COPY or self.measures.drift > MAX_DRIFT


def save(
    folder: Path,
    step: int,
    write: Callable[[Path], object],
    samples: Sequence[Image.Image],
    others: Sequence[Image.Image],
    measures: Measures,
) -> Point:
    """Keeps a point, whole or not at all; `write` puts what was learned into the folder that it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{step:08d}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as workshop:
        fresh = Path(workshop, "fresh")
        fresh.mkdir()
        write(fresh)
        for name, pictures in ((SAMPLES, samples), (OTHERS, others)):
            for number, picture in enumerate(pictures):
                picture.save(fresh / f"{name}-{number}.png")
        (fresh / FACTS).write_text(json.dumps({"step": step, **asdict(measures)}), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return Point(step, target, measures)


def read(folder: Path) -> list[Point]:
    """The points in `folder`, “before” first."""
    points = []
    for file in sorted(folder.glob(f"step-*/{FACTS}")):
        facts = json.loads(file.read_text(encoding="utf-8"))
        points.append(Point(facts.pop("step"), file.parent, Measures(**facts)))
    return points


def propose(points: Sequence[Point]) -> Point | None:
    """The point to take: the first that is as good as the likest of those that neither copy nor drift, nor do much
    worse on what was held out; where there is none such, or nothing that it should be like, the one that does best on
    it. None before the first."""
    later = [point for point in points if point.step]
    if not later:
        return None
    lowest = min(point.measures.validation for point in later)
    sound = [point for point in later if not point.is_overfitted and point.measures.validation <= WORSE * lowest]
    if any(point.measures.likeness for point in sound):
        before = max((point.measures.likeness for point in points if not point.step), default=0.0)
        best = max(point.measures.likeness for point in sound)
        return next(p for p in sound if p.measures.likeness >= best - AS_GOOD * max(0.0, best - before))
    return min(sound or later, key=lambda point: (point.measures.validation, point.step))
