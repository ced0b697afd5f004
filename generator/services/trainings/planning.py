"""What a training is to be: its spec by the defaults of its model, and what it will cost. Imports no torch."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from generator import queue
from generator.diffusion.spec import SpecError
from generator.diffusion.starter.assemble import assemble
from generator.diffusion.train import estimate, scratch_spec
from generator.diffusion.train.defaults import FAMILIES
from generator.diffusion.train.planning import make
from generator.diffusion.train.scratch_spec import ScratchSpec
from generator.diffusion.train.spec import FinetuneSpec
from generator.models import Checkpoint, Job, State, StepTime, Training, Worker
from generator.models.checkpoint import STARTER
from generator.queue.capabilities import ability_of
from generator.services.refused import Refused

MIB = 2**20
PATHS = ("checkpoint", "words_from", "pictures")  # of a spec: where these lie is each machine's own
GUIDED = estimate.GUIDED  # passes of one step of drawing
FIRST_GUESS = 1.0  # seconds a step of a model from scratch, for the queue's shares, before any was timed
WORDS_FROM = ("starter", "sd1")  # families whose text encoder a model from scratch can take over
Spec = FinetuneSpec | ScratchSpec


def base_folder(checkpoint: Checkpoint) -> Path | None:
    """Where all parts of a model lie, each in a folder, as diffusers keeps them; None: a single file, or a hub's."""
    if checkpoint.source == STARTER:
        return assemble(Path(settings.MODELS_ROOT) / STARTER)
    folder = Path(checkpoint.source)
    return folder if (folder / "model_index.json").is_file() else None


@dataclass(frozen=True)
class Cost:
    """seconds: of compute, without waiting; None while nothing of the model was timed here. memory: MiB of a device.
    pictures: of the person's day. can_run: whether a worker that lives could take it; None where none lives."""

    seconds: float | None
    memory: int
    pictures: int
    steps: int
    can_run: bool | None


@dataclass
class Needs:
    """What a training asks of a worker."""

    kind: str
    family: str
    memory: int


def plan(training: Training, count: int, source: str = "") -> Spec:
    """What it would be with `count` pictures. Raises Refused with what makes no sense."""
    model = training.checkpoint
    if training.is_scratch:
        return _plan_scratch(training, count, source or model.source)
    told = {"name": model.name}
    if model.family not in FAMILIES:
        raise Refused(_("The model “%(name)s” cannot be taught. Choose another one.") % told)
    if training.method == Training.Method.FULL and base_folder(model) is None:
        raise Refused(
            _(
                "“%(name)s” is a single file or lies on a hub. All weights can be taught of a model in a folder here. "
                "Choose LoRA, or another model."
            )
            % told
        )
    try:
        return make(
            source or model.source,
            str(training.folder / "pictures"),
            count=max(1, count),
            name=training.name,
            kind=training.kind,
            noun=training.noun,
            method=training.method,
            family=model.family,
            word=training.word,
            **{"size": model.native_size, **training.changes},
        )
    except SpecError as error:
        raise Refused(str(error)) from error


def _plan_scratch(training: Training, count: int, source: str) -> ScratchSpec:
    pictures = str(training.folder / "pictures")
    words = training.usable_set.exclude(caption="").order_by().values_list("caption").annotate(n=Count("pk"))
    samples = tuple(caption for caption, _n in words.order_by("-n", "caption")[: scratch_spec.SHEET]) or ("",)
    try:
        return scratch_spec.make(source, pictures, count=count, name=training.name, samples=samples, **training.changes)
    except SpecError as error:
        raise Refused(str(error)) from error


def write_spec(spec: Spec) -> dict[str, Any]:
    """A spec as plain values, without paths."""
    return {name: value for name, value in asdict(spec).items() if name not in PATHS}


def read_spec(training: Training, source: str) -> Spec:
    """The spec that it was started with, for the machine at hand."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in training.spec.items()
    }
    pictures = str(training.folder / "pictures")
    if training.is_scratch:
        return ScratchSpec(words_from=source, pictures=pictures, **values)
    return FinetuneSpec(checkpoint=source, pictures=pictures, **values)


def spec_as_taught(training: Training) -> FinetuneSpec:
    """The spec of one that was started and is no model from scratch."""
    spec = read_spec(training, training.checkpoint.source)
    assert isinstance(spec, FinetuneSpec)
    return spec


def seconds_left(spec: Spec, done: int, step_s: float) -> float:
    """Seconds that remain after `done` of spec.total steps, where one of training takes step_s."""
    if isinstance(spec, ScratchSpec):
        return max(0, spec.total - done) * step_s
    prior = spec.total - spec.steps
    steps = min(spec.steps, spec.total - done)
    kept = -(-steps // spec.point_every) + (done <= prior)
    drawn = max(0, prior - done) + kept * (len(spec.samples) + len(spec.others))
    return steps * spec.accumulate * step_s + drawn * _picture_seconds(spec, step_s)


def time_left(training: Training) -> float | None:
    """Seconds of compute that are left, without waiting for turns; None where it does not go on, or nothing of the
    model was timed yet."""
    if not training.is_under_way or training.state == State.PAUSED:
        return None
    spec = read_spec(training, training.checkpoint.source)
    is_known = is_measured(training, spec)
    return seconds_left(spec, training.step, step_seconds(training, spec)) if is_known else None


def _picture_seconds(spec: FinetuneSpec, step_s: float) -> float:
    return step_s / spec.batch * estimate.SAMPLE_SHARE * GUIDED * spec.sample_steps


def pictures_drawn(spec: Spec) -> int:
    """How many pictures a whole run draws: samples before and at each point, and class pictures."""
    if isinstance(spec, ScratchSpec):
        return spec.points * len(spec.samples)
    return (spec.points + 1) * (len(spec.samples) + len(spec.others)) + spec.total - spec.steps


def cost_of(training: Training, spec: Spec) -> Cost:
    """What it would cost now."""
    needs = Needs(Job.Kind.TRAIN, training.checkpoint.family, memory_of(training.checkpoint, spec))
    workers = list(Worker.objects.alive())
    seconds = None
    if is_measured(training, spec):
        step_s = step_seconds(training, spec)
        seconds = seconds_left(spec, 0, step_s) if isinstance(spec, ScratchSpec) else estimate.seconds(spec, step_s)
    return Cost(
        seconds=seconds,
        memory=_bytes_of(spec) // MIB,
        pictures=pictures_drawn(spec),
        steps=spec.steps,
        can_run=any(ability_of(worker).can_run(needs) for worker in workers) if workers else None,
    )


def _bytes_of(spec: Spec, *, is_half: bool = False) -> int:
    return scratch_spec.memory(spec) if isinstance(spec, ScratchSpec) else estimate.memory(spec, is_half=is_half)


def memory_of(checkpoint: Checkpoint, spec: Spec) -> int:
    """MiB, as Job.memory: 0 where the model runs on anything."""
    return max(checkpoint.memory, _bytes_of(spec, is_half=True) // MIB) if checkpoint.memory else 0


def is_measured(training: Training, spec: Spec) -> bool:
    """Whether the model's steps were timed here, in training or in drawing: else their time is a wild guess."""
    if training.is_scratch:
        return bool(_timed(training, spec))
    taught = Training.objects.filter(checkpoint=training.checkpoint, step_seconds__gt=0)
    return taught.exists() or StepTime.objects.filter(loads=training.checkpoint.slug).exists()


def step_seconds(training: Training, spec: Spec) -> float:
    """Seconds a step of training takes: as measured of its own, of its like, else told from what drawing takes."""
    if timed := _timed(training, spec):
        return timed
    if isinstance(spec, ScratchSpec):
        return FIRST_GUESS
    drawing = queue.Paces.read().work(training.checkpoint.slug, spec.size**2, spec.sample_steps, 1).seconds
    one_pass = drawing / spec.sample_steps / GUIDED
    return one_pass / estimate.SAMPLE_SHARE * spec.batch * (2 if spec.has_prior else 1)


def _timed(training: Training, spec: Spec) -> float | None:
    """As measured of this one, or of another of its method, size and batch."""
    if training.step_seconds:
        return training.step_seconds
    like = Training.objects.filter(checkpoint=training.checkpoint, method=training.method, step_seconds__gt=0)
    for seconds, known in like.order_by("-created").values_list("step_seconds", "spec")[:5]:
        if (known.get("size"), known.get("batch")) == (spec.size, spec.batch):
            return seconds
    return None
