"""What each way to make a picture takes, as plain data. Importable without torch, as generator.diffusion.spec is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from generator.diffusion.spec import MAX_COUNT, MAX_SEED, MAX_SIDE, SpecError, check_whole

if TYPE_CHECKING:
    from generator.diffusion.spec import ImageSpec

FACTORS = (2, 4)
MAX_EDGE = 8192  # pixels a side of what an upscale gives
MAX_FEATHER = 256
# What a ControlNet follows: outlines found in the picture, a drawing as it is, distances as they are.
STRUCTURES = ("edges", "scribble", "depth")


class Way(StrEnum):
    """How a picture comes to be."""

    TEXT = "text"
    IMAGE = "image"
    INPAINT = "inpaint"
    OUTPAINT = "outpaint"
    VARY = "vary"
    REFERENCE = "reference"
    UPSCALE = "upscale"
    HIRES = "hires"
    CUTOUT = "cutout"


# Ways that draw nothing: they need no model, no prompt and no seed.
DRAWLESS = frozenset({Way.UPSCALE, Way.CUTOUT})
# Ways that start from a picture.
FROM_PICTURE = frozenset(Way) - {Way.TEXT, Way.REFERENCE}


class Picture(Protocol):
    """A PIL image; or an Outline, where a spec is only to be checked."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""


@dataclass(frozen=True)
class Outline:
    """Stands for a picture of which only the size matters."""

    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Start:
    """The picture that a run starts from, and how far it may go from there: strength 0 keeps it, 1 forgets it.

    Of the steps asked for, the last `strength` of them are run (SDEdit, Meng et al. 2021, arXiv:2108.01073).
    """

    image: Picture
    strength: float = 0.6

    def __post_init__(self) -> None:
        _check_part("strength", self.strength)
        if self.strength == 0:
            raise SpecError("With a strength of 0 nothing would change. Choose more.")

    def steps(self, asked: int) -> int:
        """How many of the steps asked for are run: at least one."""
        return max(1, min(asked, int(asked * self.strength)))


@dataclass(frozen=True, kw_only=True)
class Mask:
    """What is made anew: white of a picture of the same size. It fades over `feather` pixels, inside the white only."""

    image: Picture
    feather: int = 8

    def __post_init__(self) -> None:
        check_whole("feather", self.feather, 0, MAX_FEATHER)


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Pixels to add at each side of a picture."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __post_init__(self) -> None:
        for side in ("left", "top", "right", "bottom"):
            check_whole(f"margin at the {side}", getattr(self, side), 0, MAX_SIDE)
        if not any((self.left, self.top, self.right, self.bottom)):
            raise SpecError("Say how far to extend the picture, at one side at least.")

    def around(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size of a picture with these margins. Raises SpecError where it becomes too large."""
        width, height = size[0] + self.left + self.right, size[1] + self.top + self.bottom
        if max(width, height) > MAX_SIDE:
            raise SpecError(f"The extended picture would be {width} × {height} pixels; at most {MAX_SIDE} a side.")
        return width, height


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Noise on the way to another seed's, by spherical interpolation: amount 0 is the picture itself, 1 another one."""

    seed: int
    amount: float = 0.2

    def __post_init__(self) -> None:
        check_whole("seed of the variation", self.seed, 0, MAX_SEED - MAX_COUNT + 1)
        _check_part("amount of variation", self.amount)


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A picture whose outlines or depths are followed, by the ControlNet in the folder `model`.

    It leads with `scale` until that part of the steps is done.
    """

    image: Picture
    kind: str
    model: str
    scale: float = 1.0
    until: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in STRUCTURES:
            raise SpecError(f"A structure is one of {', '.join(STRUCTURES)}, not “{self.kind}”.")
        _check_part("weight of the structure", self.scale, 2.0)
        _check_part("end of the structure's lead", self.until)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A picture whose subject and style are taken over, by the IP-Adapter file `model` with its image encoder."""

    image: Picture
    model: str
    scale: float = 0.6

    def __post_init__(self) -> None:
        _check_part("weight of the reference", self.scale, 2.0)


@dataclass(frozen=True, kw_only=True)
class UpscaleSpec:
    """A picture twice or four times as wide and high. model: a .safetensors file; empty: the one that ships."""

    image: Picture
    factor: int = 2
    model: str = ""

    def __post_init__(self) -> None:
        check_factor(self.image.size, self.factor)

    @property
    def count(self) -> int:
        """One picture."""
        return 1


@dataclass(frozen=True, kw_only=True)
class HiresSpec:
    """An upscale that is then drawn over, tile by tile, with the prompt, strength and seed of `draw`.

    A tile is draw.width x draw.height pixels; draw.start.image is the picture before the upscale.
    """

    draw: ImageSpec
    factor: int = 2
    upscaler: str = ""

    def __post_init__(self) -> None:
        if self.draw.start is None or self.draw.mask or self.draw.margins or self.draw.count != 1:
            raise SpecError("One whole picture is enlarged and refined at a time.")
        if self.draw.structure:
            raise SpecError("A structure leads whole pictures, not the tiles of a refinement.")
        check_factor(self.draw.start.image.size, self.factor)

    @property
    def count(self) -> int:
        """One picture."""
        return 1


@dataclass(frozen=True, kw_only=True)
class CutoutSpec:
    """A picture without its background. model: a .safetensors file; empty: the one that ships."""

    image: Picture
    model: str = ""

    @property
    def count(self) -> int:
        """One picture."""
        return 1


def check_factor(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """The size after an upscale. Raises SpecError for a factor that there is not, or a picture too large for it."""
    if factor not in FACTORS:
        raise SpecError(f"A picture can be made {' or '.join(map(str, FACTORS))} times as large, not {factor}.")
    width, height = (side * factor for side in size)
    if max(width, height) > MAX_EDGE:
        raise SpecError(f"It would be {width} × {height} pixels; at most {MAX_EDGE} a side are made.")
    return width, height


def _check_part(what: str, value: float, most: float = 1.0) -> None:
    if not (math.isfinite(value) and 0 <= value <= most):
        raise SpecError(f"The {what} must be between 0 and {most:g}, not {value}.")
