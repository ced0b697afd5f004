"""What to make and what comes back, as plain data: the one module of the engine that may be imported anywhere.

It must stay importable without torch, because the web process shares it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_STEPS = 150
MAX_COUNT = 16
MAX_SIDE = 4096
MAX_GUIDANCE = 30.0
MAX_PROMPT = 10_000
# The largest whole number that JSON and JavaScript carry exactly: a seed must survive the way to a browser and back.
MAX_SEED = 2**53 - 1
# Every latent model of today shrinks by at least this factor; those that need more say so themselves in sampling.py.
SIZE_MULTIPLE = 8

# Scheduler names with the label a person chooses by. schedulers.py builds them, and knows which suit a checkpoint.
SCHEDULERS = MappingProxyType(
    {
        "default": "The model's own",
        "dpmpp_2m": "DPM++ 2M",
        "dpmpp_2m_karras": "DPM++ 2M Karras",
        "dpmpp_2m_sde": "DPM++ 2M SDE",
        "unipc": "UniPC",
        "euler": "Euler",
        "euler_a": "Euler ancestral",
        "heun": "Heun",
        "ddim": "DDIM",
    }
)


class SpecError(ValueError):
    """A request that cannot be met as asked. The message is for the person who asked."""


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken or unsafe to load. The message is for whoever installs checkpoints."""


class Cancelled(Exception):  # noqa: N818 (it is no error: the caller asked for it)
    """Raised from `on_step`, it is the one way to stop a run: within one step, leaving the pipeline usable."""


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """Text to image: `count` pictures of one prompt. Sizes in pixels.

    checkpoint is a hub id, a diffusers folder or a single .safetensors file. Picture i draws its noise from `seeds[i]`
    alone, so it comes out the same whichever pictures are made beside it. Raises SpecError for values out of range.
    """

    checkpoint: str
    prompt: str
    width: int
    height: int
    negative_prompt: str = ""
    count: int = 1
    steps: int = 20
    guidance: float = 4.0
    seed: int = 0
    scheduler: str = "default"

    def __post_init__(self) -> None:
        if not self.checkpoint.strip():
            raise SpecError("No model was chosen.")
        if not self.prompt.strip():
            raise SpecError("The prompt is empty: write what the picture should show.")
        _check_text("prompt", self.prompt)
        _check_text("negative prompt", self.negative_prompt)
        for side, pixels in (("width", self.width), ("height", self.height)):
            _check_whole(side, pixels, SIZE_MULTIPLE, MAX_SIDE)
            if pixels % SIZE_MULTIPLE:
                raise SpecError(f"The {side} must be a multiple of {SIZE_MULTIPLE} pixels, not {pixels}.")
        _check_whole("number of pictures", self.count, 1, MAX_COUNT)
        _check_whole("number of steps", self.steps, 1, MAX_STEPS)
        _check_whole("seed", self.seed, 0, MAX_SEED - self.count + 1)
        if not (math.isfinite(self.guidance) and 0 <= self.guidance <= MAX_GUIDANCE):
            raise SpecError(f"The guidance must be between 0 and {MAX_GUIDANCE:g}, not {self.guidance}.")
        if self.scheduler not in SCHEDULERS:
            raise SpecError(f"There is no scheduler “{self.scheduler}”. Choose one of: {', '.join(SCHEDULERS)}.")

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each picture."""
        return tuple(range(self.seed, self.seed + self.count))


class LazyPreviews(Sequence["Image"]):
    """Previews decoded when first looked at, so a caller that skips a step pays nothing for its pictures."""

    def __init__(self, count: int, decode: Callable[[], Sequence[Image]]) -> None:
        self._count = count
        self._decode = decode

    @cached_property
    def _images(self) -> tuple[Image, ...]:
        return tuple(self._decode())

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Image]: ...

    def __getitem__(self, index: int | slice) -> Image | Sequence[Image]:
        return self._images[index]


@dataclass(frozen=True)
class Step:
    """One finished step of denoising or of training: `index` counts from 1 to `total`.

    previews: one small RGB preview a picture; in training the sample pictures, where this step drew some.
    loss: in training only.
    """

    index: int
    total: int
    previews: Sequence[Image]
    loss: float | None = None


@dataclass(frozen=True)
class Timings:
    """Seconds spent: finding or loading the pipeline, encoding the prompt, denoising (with on_step), decoding."""

    load_s: float
    encode_s: float
    denoise_s: float
    decode_s: float


@dataclass(frozen=True)
class Result:
    """The finished pictures (RGB) with what a recipe needs to tell: `scheduler` is the name that was really used."""

    images: tuple[Image, ...]
    seeds: tuple[int, ...]
    timings: Timings
    device: str
    dtype: str
    scheduler: str


def fit_size(aspect_w: float, aspect_h: float, native: int, multiple: int = SIZE_MULTIPLE) -> tuple[int, int]:
    """(width, height) in pixels with the aspect asked for, about native x native in area, in multiples of `multiple`.

    Each side is at least one multiple. Raises SpecError where an argument is not positive.
    """
    if not all(math.isfinite(value) and value > 0 for value in (aspect_w, aspect_h, native, multiple)):
        raise SpecError("A format needs a width, a height and a size above zero.")
    width = native * math.sqrt(aspect_w / aspect_h)
    height = native * math.sqrt(aspect_h / aspect_w)
    return _nearest_multiple(width, multiple), _nearest_multiple(height, multiple)


def _nearest_multiple(pixels: float, multiple: int) -> int:
    return max(multiple, math.floor(pixels / multiple + 0.5) * multiple)


def _check_whole(what: str, value: int, low: int, high: int) -> None:
    # bool is an int to Python, but True pictures is a mistake of the caller.
    if not isinstance(value, int) or isinstance(value, bool):
        raise SpecError(f"The {what} must be a whole number, not {value!r}.")
    if not low <= value <= high:
        raise SpecError(f"The {what} must be between {low} and {high}, not {value}.")


def _check_text(what: str, text: str) -> None:
    if len(text) > MAX_PROMPT:
        raise SpecError(f"The {what} is too long: {len(text)} characters, and at most {MAX_PROMPT} are read.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(f"The {what} holds a broken character at position {error.start + 1}.") from None
