"""What a model from scratch is to be, as plain data with good defaults by the number of pictures. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from generator.diffusion.spec import MAX_SEED, SpecError, check_whole

WIDTHS = (64, 192, 256)  # of the denoiser, by level; the starter's too
SIZES = (64, 128, 256)  # pixels
FEWEST, MOST = 20, 50_000  # pictures
BATCH = 24
EPOCHS = 60  # how often each picture is to be seen, within the steps below
MIN_STEPS, MAX_STEPS = 1500, 20_000
AUTOENCODER_STEPS = 500
SHEET = 6  # samples of a point


@dataclass(frozen=True, kw_only=True)
class ScratchSpec:
    """words_from: a checkpoint whose tokenizer and text encoder are taken over. pictures: as data.read_folder takes
    them, with captions. size: side in pixels. steps: of the denoiser, after autoencoder_steps. points: results that are
    kept on the way, each with samples of the prompts `samples`. Raises SpecError for values that make no sense.
    """

    words_from: str
    pictures: str
    name: str
    size: int = 64
    widths: tuple[int, ...] = WIDTHS
    autoencoder_steps: int = AUTOENCODER_STEPS
    steps: int = MIN_STEPS
    batch: int = BATCH
    learning_rate: float = 5e-4
    points: int = 4
    samples: tuple[str, ...] = ()
    seed: int = 0
    save_every: int = 50

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise SpecError(f"A model from scratch has {', '.join(map(str, SIZES))} pixels a side, not {self.size}.")
        for what, whole, low, high in (
            ("number of steps", self.steps, 1, 10**6),
            ("number of the autoencoder's steps", self.autoencoder_steps, 1, 10**6),
            ("batch", self.batch, 1, 512),
            ("number of points", self.points, 1, 20),
            ("seed", self.seed, 0, MAX_SEED),
        ):
            check_whole(what, whole, low, high)
        if not self.learning_rate > 0:
            raise SpecError(f"In training, learning_rate must be above zero, not {self.learning_rate}.")

    @property
    def total(self) -> int:
        """How many Steps are told."""
        return self.autoencoder_steps + self.steps

    @property
    def point_every(self) -> int:
        """Steps of the denoiser between two kept points; the last step is always one."""
        return max(1, -(-self.steps // self.points))


def make(words_from: str, pictures: str, *, count: int, name: str, size: int = 64, **changes: object) -> ScratchSpec:
    """A spec with the defaults for `count` pictures; `changes` are fields of it. Raises SpecError."""
    batch = min(BATCH, max(4, count // 4))
    steps = min(MAX_STEPS, max(MIN_STEPS, EPOCHS * count // batch))
    given: dict[str, object] = {"steps": steps, "batch": batch, **changes}
    given.setdefault("autoencoder_steps", max(1, min(AUTOENCODER_STEPS, int(str(given["steps"])) // 3)))
    return ScratchSpec(words_from=words_from, pictures=pictures, name=name, size=size, **given)  # type: ignore[arg-type]


def memory(spec: ScratchSpec) -> int:
    """Bytes that training needs, by rule of thumb: 22 million weights with Adam's moments and their average, and
    activations that grow with the area."""
    weights = 22_000_000 * (spec.widths[-1] / WIDTHS[-1]) ** 2
    return round(weights * 4 * 5 + spec.batch * (spec.size / 64) ** 2 * 24 * 2**20) + 512 * 2**20
