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

    from generator.diffusion.ways.spec import Margins, Mask, Reference, Start, Structure, Variation

MAX_STEPS = 150
MAX_COUNT = 16
MAX_SIDE = 4096
MAX_GUIDANCE = 30.0
MAX_PROMPT = 10_000
MAX_ADAPTERS = 8
MAX_WEIGHT = 4.0
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


class Apart(Exception):  # noqa: N818 (nothing is wrong with any of them)
    """Specs that cannot be made in one call: their prompts are read in different lengths, or it `is_too_large`."""

    def __init__(self, message: str, *, is_too_large: bool = False) -> None:
        super().__init__(message)
        self.is_too_large = is_too_large


class AdapterError(CheckpointError):
    """A LoRA or embedding that is broken, unsafe or made for another family. `path` says which one."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Adapter:
    """A LoRA with its weight, or an embedding that stands for `word` in the prompt: a .safetensors file.

    Raises SpecError for a weight out of range and for an embedding without a word.
    """

    path: str
    weight: float = 1.0
    word: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and abs(self.weight) <= MAX_WEIGHT):
            raise SpecError(f"The weight of a LoRA must be between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}.")
        if self.word != self.word.strip() or " " in self.word:
            raise SpecError(f"An embedding stands for one word, without spaces, not for “{self.word}”.")


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """`count` pictures of one prompt, from noise or from a picture. Sizes in pixels.

    checkpoint is a hub id, a diffusers folder or a single .safetensors file. Picture i draws its noise from `seeds[i]`
    alone, so it comes out the same whichever pictures are made beside it. Raises SpecError for values out of range.

    adapters: LoRAs, which act together, and embeddings, in any order.
    start: the picture to start from, scaled and cropped to width x height. With a mask only its white is made anew,
        with margins only these; then width and height are those of the picture with its margins, whatever they are.
    native: edge of the square that the model draws best. Masks and margins are worked on in parts of about that size.
    """

    checkpoint: str
    adapters: tuple[Adapter, ...] = ()
    prompt: str
    width: int
    height: int
    negative_prompt: str = ""
    count: int = 1
    steps: int = 20
    guidance: float = 4.0
    seed: int = 0
    scheduler: str = "default"
    native: int = 512
    start: Start | None = None
    mask: Mask | None = None
    margins: Margins | None = None
    variation: Variation | None = None
    structure: Structure | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        if not self.checkpoint.strip():
            raise SpecError("No model was chosen.")
        if not self.prompt.strip():
            raise SpecError("The prompt is empty: write what the picture should show.")
        if len({adapter.path for adapter in self.adapters}) < len(self.adapters) or len(self.adapters) > MAX_ADAPTERS:
            raise SpecError(f"Choose each LoRA and embedding once, and at most {MAX_ADAPTERS} of them.")
        _check_text("prompt", self.prompt)
        _check_text("negative prompt", self.negative_prompt)
        for side, pixels in (("width", self.width), ("height", self.height)):
            check_whole(side, pixels, SIZE_MULTIPLE, MAX_SIDE)
            if pixels % SIZE_MULTIPLE and not (self.mask or self.margins):
                raise SpecError(f"The {side} must be a multiple of {SIZE_MULTIPLE} pixels, not {pixels}.")
        check_whole("number of pictures", self.count, 1, MAX_COUNT)
        check_whole("number of steps", self.steps, 1, MAX_STEPS)
        check_whole("seed", self.seed, 0, MAX_SEED - self.count + 1)
        if not (math.isfinite(self.guidance) and 0 <= self.guidance <= MAX_GUIDANCE):
            raise SpecError(f"The guidance must be between 0 and {MAX_GUIDANCE:g}, not {self.guidance}.")
        if self.scheduler not in SCHEDULERS:
            raise SpecError(f"There is no scheduler “{self.scheduler}”. Choose one of: {', '.join(SCHEDULERS)}.")
        self._check_start()

    def _check_start(self) -> None:
        if self.structure and (self.mask or self.margins):
            raise SpecError("A structure leads whole pictures: it goes with neither a mask nor margins.")
        if self.start is None:
            if self.mask or self.margins:
                raise SpecError("There is no picture to change: choose one.")
            return
        if self.mask and self.mask.image.size != self.start.image.size:
            masked, picture = ("{} × {}".format(*one.image.size) for one in (self.mask, self.start))
            raise SpecError(f"The mask is {masked} pixels, the picture {picture}: both must be of one size.")
        if self.mask and self.margins:
            raise SpecError("A picture is either changed within a mask or extended, not both at once.")
        if self.mask or self.margins:
            check_whole("native size", self.native, SIZE_MULTIPLE, MAX_SIDE)
            whole = self.margins.around(self.start.image.size) if self.margins else self.start.image.size
            if whole != (self.width, self.height):
                raise SpecError("The picture with its margins is {} × {} pixels.".format(*whole))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each picture; variations share one, and differ in the seed that they vary towards."""
        if self.variation:
            return (self.seed,) * self.count
        return tuple(range(self.seed, self.seed + self.count))

    @property
    def run_steps(self) -> int:
        """How many of the steps are run: all of them unless it starts from a picture."""
        return self.start.steps(self.steps) if self.start else self.steps


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

    While a training prepares, it tells of more than whole steps: `index` is then how many are finished, from 0.
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
    """The finished pictures (RGB) with what a recipe needs to tell.

    scheduler: the name that was really used. plan: how the device's memory was used, in words.
    """

    images: tuple[Image, ...]
    seeds: tuple[int, ...]
    timings: Timings
    device: str
    dtype: str
    scheduler: str
    plan: str = ""


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


def check_whole(what: str, value: int, low: int, high: int) -> None:
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
