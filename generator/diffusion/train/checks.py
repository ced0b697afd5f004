"""Pictures looked at before any compute is spent on them: is each fit to learn from, and are they, together?

numpy and Pillow only. Words are for the person who brought the pictures; codes are for whoever shows them otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from generator.diffusion.train import data, pdq

MIN_EDGE = 64  # a thumbnail: never enough, unless a model draws no larger
FEW, MANY = 3, 200
BEST = {"subject": (5, 20), "style": (15, 60)}
DARK, BRIGHT = 0.08, 0.95  # mean lightness, 0..1
FLAT = 0.01  # its deviation, below which there is nothing to see
CLIPPED = 0.4  # share of pixels at an end of the scale
LOOKED_AT = 256  # edge in pixels at which sharpness is measured: the same for all pictures
BLURRED = 0.0035  # variance of the Laplacian of lightness 0..1, below which a picture is soft
WHOLE = 0.7  # share of a picture from which on a crop of it is not worth suggesting
EMPTY_EDGE = 0.02  # of the detail, which a crop may leave outside


@dataclass(frozen=True)
class Problem:
    """What is wrong. severity: "stop" where it cannot be used, "warn" where it would teach badly."""

    code: str
    severity: str
    words: str


@dataclass(frozen=True)
class Verdict:
    """One picture judged. crop: (left, top, right, bottom) of where the detail is, None where it is all of it."""

    width: int
    height: int
    problems: tuple[Problem, ...]
    crop: tuple[int, int, int, int] | None = None
    hash: bytes = b""

    @property
    def is_usable(self) -> bool:
        return not any(problem.severity == "stop" for problem in self.problems)


@dataclass(frozen=True)
class Readiness:
    """A set judged. score: 0..100; duplicates: pairs of places in the list."""

    score: int
    is_ready: bool
    advice: tuple[str, ...]
    duplicates: tuple[tuple[int, int], ...]


def judge(source: Path | bytes, size: int) -> Verdict:
    """A file judged for a model that draws best at `size` pixels."""
    return judge_example(data.Example("", "", lambda: data.open_rgb(source, "the picture")), size)


def judge_example(example: data.Example, size: int) -> Verdict:
    """Likewise, a picture of a folder as data.read_folder finds it."""
    try:
        picture = example.open_picture()
    except data.DataError:
        return Verdict(
            0, 0, (Problem("corrupt", "stop", "This file is no picture that can be read, or is cut short."),)
        )
    light = _lightness(picture)
    problems = [*_size(picture.size, size), *_exposure(light)]
    if not any(problem.severity == "stop" for problem in problems):
        problems += _sharpness(light)
    crop = suggest_crop(picture) if all(one.severity == "warn" for one in problems) else None
    hashed = np.packbits(pdq.hash_picture(picture)).tobytes()
    return Verdict(*picture.size, tuple(problems), crop, hashed)


def judge_set(verdicts: Sequence[Verdict], kind: str) -> Readiness:
    """All pictures of a subject or a style together."""
    usable = [place for place, verdict in enumerate(verdicts) if verdict.is_usable]
    pairs = tuple(
        (one, other)
        for one, other in combinations(usable, 2)
        if _distance(verdicts[one], verdicts[other]) <= pdq.DUPLICATE
    )
    different = len(usable) - len({other for _one, other in pairs})
    low, high = BEST[kind]
    advice = []
    if broken := len(verdicts) - len(usable):
        advice.append(f"{_count(broken, 'picture')} cannot be used: take {'it' if broken == 1 else 'them'} out.")
    if pairs:
        advice.append(
            f"{_count(len(pairs), 'pair')} of pictures are nearly the same: keep one of each, or it is copied."
        )
    if different < FEW:
        advice.append(f"{_count(different, 'different picture')} is too few: bring at least {FEW}, better {low}.")
    elif different < low:
        advice.append(f"{_count(different, 'different picture')} can do; {low} to {high} are better.")
    elif different > MANY:
        advice.append(f"{different} pictures are too many for this: choose the best {high}, or train from scratch.")
    elif different > high:
        advice.append(f"{different} pictures are more than are needed: the best {high} would do.")
    warned = sum(1 for place in usable if verdicts[place].problems)
    if warned:
        advice.append(f"{_count(warned, 'picture')} could be better: see what is said of each.")
    is_ready = FEW <= different <= MANY
    enough = min(1.0, different / low)
    clean = 1 - warned / (2 * len(usable)) if usable else 0.0
    score = round(100 * enough * clean * (1 - 0.5 * len(pairs) / max(1, len(usable))))
    return Readiness(min(score, 100) if is_ready else min(score, 20), is_ready, tuple(advice), pairs)


def suggest_crop(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box that holds the detail (edges) of an RGB picture, as near to a square as it can be; None for about all."""
    small = _small(picture)
    detail = np.asarray(small.filter(ImageFilter.FIND_EDGES), np.float64)[1:-1, 1:-1]
    if detail.sum() == 0:
        return None
    scale = picture.width / small.width
    (left, right), (top, bottom) = (_span(detail.sum(axis=axis)) for axis in (0, 1))
    side = min(max(right - left, bottom - top) * 1.15, *small.size)
    middle = (left + right) / 2 + 1, (top + bottom) / 2 + 1
    starts = [min(max(0.0, at - side / 2), edge - side) for at, edge in zip(middle, small.size, strict=True)]
    box = tuple(round(value * scale) for value in (*starts, starts[0] + side, starts[1] + side))
    left, top, right, bottom = box
    if (right - left) * (bottom - top) > WHOLE * picture.width * picture.height:
        return None
    return left, top, min(right, picture.width), min(bottom, picture.height)


def _span(values: np.ndarray) -> tuple[int, int]:
    """From where to where all of `values` lie but EMPTY_EDGE at either end."""
    share = np.cumsum(values) / values.sum()
    return int(np.searchsorted(share, EMPTY_EDGE)), int(np.searchsorted(share, 1 - EMPTY_EDGE)) + 1


def _lightness(picture: Image.Image) -> np.ndarray:
    """0..1, at most LOOKED_AT pixels in its longer edge."""
    return np.asarray(_small(picture), np.float64) / 255


def _small(picture: Image.Image) -> Image.Image:
    small = picture.convert("L")
    small.thumbnail((LOOKED_AT, LOOKED_AT), Image.Resampling.BOX)
    return small


def _size(found: tuple[int, int], wanted: int) -> list[Problem]:
    width, height = found
    told = f"{width} × {height} pixels"
    if min(found) < min(MIN_EDGE + 1, wanted):
        return [Problem("tiny", "stop", f"{told} is too small to learn from: at least {wanted} a side are needed.")]
    if min(found) < wanted // 2:
        return [Problem("small", "stop", f"{told} is too small: the model draws {wanted}. Bring the original.")]
    if min(found) < wanted:
        return [Problem("soft_size", "warn", f"{told} is enlarged to {wanted}: details will be soft.")]
    if max(found) > 3 * min(found):
        return [Problem("long", "warn", f"{told} is very long: most of it is cut off. Crop it to what matters.")]
    return []


def _exposure(light: np.ndarray) -> list[Problem]:
    if light.std() < FLAT:
        what = "black" if light.mean() < 0.1 else "white" if light.mean() > 0.9 else "of one colour"
        return [Problem("blank", "stop", f"This picture is all {what}: there is nothing to learn.")]
    if light.mean() < DARK:
        return [Problem("dark", "warn", "This picture is very dark. Brighten it, or take it with more light.")]
    if light.mean() > BRIGHT and (light > 0.99).mean() < CLIPPED:
        return [Problem("bright", "warn", "This picture is very bright, and has lost what was light.")]
    return []


def _sharpness(light: np.ndarray) -> list[Problem]:
    """Variance of the Laplacian: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", over the
    picture's sharpest ninth, since a soft background is no fault."""
    if min(light.shape) < 12:
        return []
    inner = light[1:-1, 1:-1]
    laplacian = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:] - 4 * inner
    tiles = [tile for row in np.array_split(laplacian, 3, axis=0) for tile in np.array_split(row, 3, axis=1)]
    if max(float(tile.var()) for tile in tiles) < BLURRED:
        return [Problem("blurred", "warn", "This picture is blurred: nothing in it is sharp.")]
    return []


def _distance(one: Verdict, other: Verdict) -> int:
    bits = (np.unpackbits(np.frombuffer(verdict.hash, np.uint8)) for verdict in (one, other))
    return pdq.distance(*bits)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
