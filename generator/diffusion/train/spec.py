"""What to teach a model from a handful of pictures, as plain data with good defaults. Imports no torch.

Subjects: DreamBooth, Ruiz et al. 2022 (arXiv:2208.12242), on LoRA, Hu et al. 2021 (arXiv:2106.09685), or on all
weights; and textual inversion, Gal et al. 2022 (arXiv:2208.01618). Styles: LoRA on captioned pictures, or textual
inversion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from generator.diffusion.spec import MAX_SEED, MAX_SIDE, SIZE_MULTIPLE, SpecError, check_whole
from generator.diffusion.train.defaults import FAMILIES, METHODS

KINDS = MappingProxyType({"subject": "A subject", "style": "A style"})
WORD = re.compile(r"[^\W_]+(?:[-_][^\W_]+)*")
MAX_STEPS, MAX_RANK, MAX_VECTORS, MAX_POINTS = 100_000, 512, 32, 40


@dataclass(frozen=True)
class Lineage:
    """Where the result comes from, for its metadata: the base checkpoint's name, hash (SHA-256) and licence, which it
    inherits, and who made it."""

    base: str = ""
    base_hash: str = ""
    licence: str = ""
    licence_url: str = ""
    author: str = ""


@dataclass(frozen=True, kw_only=True)
class FinetuneSpec:
    """What to teach: planning.make fills in all but the first lines. Raises SpecError for values that make no sense.

    checkpoint: as in ImageSpec. pictures: a folder as data.read_folder takes it, captions included.
    method: one of defaults.METHODS. word: what the prompt calls the new thing by; noun: what kind of thing it is.
    size: edge in pixels of the square whose area the pictures are brought to. views: crops of each picture that are
        trained on; one more is held out. is_flipped: every other view mirrored, which spoils lettering.
    targets: ends of the names of the layers that get a LoRA; () are the family's own.
    prior_weight: of the class pictures' loss, λ in eq. 2 of DreamBooth; prior_pictures: how many the model makes, of
        the noun, or of prior_prompts in turn where a small model would forget more than that; prior_guidance: of these
        pictures. At 1 they are the model's own distribution, and learning them changes least.
    min_snr: γ of Hang et al. 2023 (arXiv:2303.09556); 0: all timesteps alike.
    timesteps: "uniform", or "logit_normal" with its mean and deviation, which flow matching takes in any case.
    vectors, initialiser: of textual inversion: how many, and the words that they start from.
    points: how many results are kept on the way, each with samples. samples: prompts, {} is the new thing; others:
        prompts without it, for what the model should not forget. guidance, sample_steps: of these pictures.
    """

    checkpoint: str
    pictures: str
    name: str
    word: str
    kind: str = "subject"
    noun: str = ""
    method: str = "lora"
    family: str = "sd1"
    steps: int = 800
    batch: int = 1
    accumulate: int = 1
    learning_rate: float = 1e-4
    warmup: int = 0
    decay: int = 0
    size: int = 512
    views: int = 4
    is_flipped: bool = False
    is_bucketed: bool = True
    rank: int = 16
    alpha: float = 16.0
    targets: tuple[str, ...] = ()
    prior_weight: float = 0.0
    prior_pictures: int = 0
    prior_prompts: tuple[str, ...] = ()
    prior_guidance: float = 7.0
    caption_dropout: float = 0.0
    min_snr: float = 0.0
    timesteps: str = "uniform"
    timestep_mean: float = 0.0
    timestep_deviation: float = 1.0
    vectors: int = 1
    initialiser: str = ""
    gradient_checkpointing: bool = False
    seed: int = 0
    points: int = 5
    samples: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    guidance: float = 7.0
    sample_steps: int = 20
    save_every: int = 100

    def __post_init__(self) -> None:
        for what, value, known in (
            ("kind", self.kind, KINDS),
            ("method", self.method, METHODS),
            ("family", self.family, FAMILIES),
            ("timesteps", self.timesteps, ("uniform", "logit_normal")),
        ):
            if value not in known:
                raise SpecError(f"There is no {what} “{value}” to teach by. Choose one of: {', '.join(known)}.")
        check_word(self.word)
        if self.kind == "subject" and not self.noun.strip():
            raise SpecError("Say what kind of thing it is, such as bottle or dog: the model builds on what it knows.")
        if self.method == "embedding" and not FAMILIES[self.family].takes_embeddings:
            raise SpecError(f"{FAMILIES[self.family].label} takes no embeddings. Teach it as a LoRA.")
        for what, whole, low, high in (
            ("number of steps", self.steps, 1, MAX_STEPS),
            ("batch", self.batch, 1, 256),
            ("accumulation", self.accumulate, 1, 256),
            ("size", self.size, 32, MAX_SIDE),
            ("number of views", self.views, 1, 64),
            ("rank", self.rank, 1, MAX_RANK),
            ("number of class pictures", self.prior_pictures, 0, 1000),
            ("number of vectors", self.vectors, 1, MAX_VECTORS),
            ("number of points", self.points, 1, MAX_POINTS),
            ("seed", self.seed, 0, MAX_SEED),
        ):
            check_whole(what, whole, low, high)
        if self.size % SIZE_MULTIPLE:
            raise SpecError(f"The size must be a multiple of {SIZE_MULTIPLE} pixels, not {self.size}.")
        for name in ("learning_rate", "alpha", "timestep_deviation"):
            if not getattr(self, name) > 0:
                raise SpecError(f"In training, {name} must be above zero, not {getattr(self, name)}.")
        if not 0 <= self.caption_dropout < 1:
            raise SpecError(f"The share of captions left out must be from 0 to below 1, not {self.caption_dropout}.")
        if min(self.prior_weight, self.min_snr, self.warmup, self.decay, self.save_every) < 0:
            raise SpecError("No weight and no number of steps can be below zero.")
        if self.prior_weight and not (self.noun and self.prior_pictures):
            raise SpecError("Prior preservation needs a kind of thing and a number of class pictures.")

    @property
    def called(self) -> str:
        """What stands for the new thing in a prompt: the word, before its noun where a LoRA needs one to build on."""
        return f"{self.word} {self.noun}" if self.noun and self.method != "embedding" else self.word

    @property
    def has_prior(self) -> bool:
        return self.prior_weight > 0 and self.method != "embedding"

    @property
    def total(self) -> int:
        """How many Steps are told: the class pictures that the model makes first, then the steps of training."""
        return self.steps + (self.prior_pictures if self.has_prior else 0)

    @property
    def point_every(self) -> int:
        """Steps between two kept points; the last step is always one."""
        return max(1, -(-self.steps // self.points))

    @property
    def priors(self) -> tuple[str, ...]:
        """The prompts of the class pictures."""
        return self.prior_prompts or (FAMILIES[self.family].phrase.format(with_article(self.noun)),)

    def prior_prompt(self, number: int) -> str:
        """The prompt of class picture `number`."""
        return self.priors[number % len(self.priors)]

    def caption(self, own: str) -> str:
        """What is trained with a picture whose own caption is `own` ("" for none)."""
        if not own:
            if self.kind == "style":
                return f"a picture in {self.word} style"
            return FAMILIES[self.family].phrase.format(with_article(self.called))
        if re.search(rf"(?<!\w){re.escape(self.word)}(?!\w)", own, re.IGNORECASE):
            return own
        if self.kind == "style":
            return f"{own}, {self.word} style"
        if self.noun and (found := re.search(rf"\b{re.escape(self.noun)}\b", own, re.IGNORECASE)):
            return f"{own[: found.start()]}{self.called}{own[found.end() :]}"
        return f"{self.called}, {own}"

    def sample_prompts(self) -> tuple[str, ...]:
        """The prompts of the validation samples, the new thing in its place."""
        return tuple(prompt.replace("{}", self.called) for prompt in self.samples)


def check_word(word: str) -> None:
    """Raises SpecError for what cannot stand as one word of a prompt."""
    if not WORD.fullmatch(word) or len(word) > 40:
        raise SpecError(f"“{word}” cannot be the word for it: letters and numbers in one, 40 at most.")


def with_article(thing: str) -> str:
    """ "apple" -> "an apple"."""
    return f"{'an' if thing[:1].lower() in 'aeiou' else 'a'} {thing}"
