"""Teaching a model from a handful of pictures, a slice at a time: train_slice(spec, folder, on_step) -> finished?

Everything random comes from the seed and the step, and what was computed is kept in the run's folder, so a run in many
slices, in many processes, killed between or within them, ends where an undisturbed one does. In the folder:
`data/` latents and class pictures; `states/` the last two states; `log.jsonl`; `points/` what can be taken.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from generator.diffusion import adapters, memory, pipelines, prompts
from generator.diffusion.sampling import generate
from generator.diffusion.spec import ImageSpec, SpecError, Step
from generator.diffusion.train import estimate, export, families, likeness, loop, objectives, pdq, points, slices
from generator.diffusion.train.dreambooth import Full, Lora
from generator.diffusion.train.families import Pipeline
from generator.diffusion.train.learner import Draws, Learner, make_loss, validation_loss
from generator.diffusion.train.prepared import Prepared, Stage, prepare, training_pictures
from generator.diffusion.train.spec import FinetuneSpec, Lineage
from generator.diffusion.train.textual_inversion import Inversion

METHODS: dict[str, Callable[[FinetuneSpec, Pipeline, tuple[str, ...]], Learner]] = {
    "lora": Lora,
    "full": Full,
    "embedding": Inversion,
}
PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
LOGGED = 400  # lines of the log, at most


def train_slice(
    spec: FinetuneSpec,
    folder: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    *,
    seconds: float = slices.SLICE,
    should_yield: Callable[[], bool] = lambda: False,
    pipeline: Pipeline = None,
    lineage: Lineage | None = None,
    look: likeness.Look | None = None,
) -> bool:
    """Trains for about so many seconds, at least one step, and saves; False where it is to be called again.

    on_step: told each step, with its loss, and the samples of a point; before, with index up to `total - steps`, class
    pictures. Cancelled raised in it saves, and goes through. should_yield: asked after each step and picture.
    pipeline: the warm pipeline of spec.checkpoint; it is given back as it was. look: a better eye for likeness.
    Raises SpecError and CheckpointError, with what to do.
    """
    may_stop = slices.limit(seconds, should_yield)
    if pipeline is None:
        pipeline = pipelines.load(spec.checkpoint)

    try:
        with _borrowed(spec, pipeline) as stage:
            prepared = prepare(Stage(spec, stage, folder / "data", on_step, may_stop))
            learner = METHODS[spec.method](spec, stage, prepared.captions)
            try:
                run = _Run(spec, folder, stage, prepared, learner, lineage or Lineage(), look)
                run.train(on_step, may_stop)
            finally:
                learner.close()
    except slices.SliceOver:
        return False
    return True


@contextmanager
def _borrowed(spec: FinetuneSpec, pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline of the same parts, to be changed at will. Raises SpecError where it cannot be taught."""
    if (family := families.family_of(pipeline)) != spec.family:
        raise SpecError(f"This model is of the family {family}, and the training was planned for {spec.family}.")
    free, needed = memory.measure(pipeline.device)[0], 0
    if spec.method == "full":
        needed = estimate.TRAINED * sum(weight.numel() for weight in families.denoiser_of(pipeline).parameters())
    if memory.plan_of(pipeline).offload or 0 < free < needed:
        raise SpecError("There is not enough memory to train this model. Choose a LoRA, or a smaller model.")
    adapters.wear(pipeline, ())
    stage = copy.copy(pipeline)
    try:
        yield stage
    finally:
        prompts.forget(stage)
        if stage.device.type == "cuda":
            memory.free_caches()


class _Run:
    """The training proper, over what was prepared."""

    def __init__(
        self,
        spec: FinetuneSpec,
        folder: Path,
        stage: Pipeline,
        prepared: Prepared,
        learner: Learner,
        lineage: Lineage,
        look: likeness.Look | None,
    ) -> None:
        self.spec, self.folder, self.stage = spec, folder, stage
        self.prepared, self.learner, self.lineage = prepared, learner, lineage
        self.objective = objectives.read(
            stage.scheduler.config,
            min_snr=spec.min_snr,
            timesteps=spec.timesteps,
            mean=spec.timestep_mean,
            deviation=spec.timestep_deviation,
        )
        self.look = look
        self.looks: Tensor | None = None  # of the training pictures
        self.hashes: list[Any] = []
        self.validation = 0.0

    def train(self, on_step: Callable[[Step], None], may_stop: Callable[[], None]) -> None:
        spec, first = self.spec, self.spec.total - self.spec.steps

        def tell(step: Step) -> None:
            on_step(Step(first + step.index, spec.total, step.previews, step.loss))
            if step.index < spec.steps:
                may_stop()

        if not any(point.step == 0 for point in points.read(self.folder / "points")):
            self.validate(self.learner.model)
            self.keep_point(self.learner.model, 0)
        task = loop.Task(
            self.learner.model,
            Draws(spec, self.prepared, self.objective, self.stage),
            make_loss(self.learner, spec.family),
            validate=self.validate,
            sample=self.keep_point,
        )
        loop.train(task, self.loop_spec(), self.folder, tell)

    def loop_spec(self) -> loop.LoopSpec:
        spec = self.spec
        return loop.LoopSpec(
            steps=spec.steps,
            batch=spec.batch,
            accumulate=spec.accumulate,
            learning_rate=spec.learning_rate,
            warmup=spec.warmup,
            decay=spec.decay,
            average_decay=0.0,
            precision=PRECISIONS[self.stage.vae.dtype],
            seed=spec.seed,
            save_every=spec.save_every,
            validate_every=spec.point_every,
            sample_every=spec.point_every,
            log_every=max(1, spec.steps // LOGGED),
        )

    def validate(self, _model: torch.nn.Module) -> dict[str, float]:
        spec = self.spec
        self.validation = validation_loss(
            self.learner, spec.family, self.stage, self.prepared, self.objective, spec.seed
        )
        return {"validation_loss": self.validation}

    def keep_point(self, _model: torch.nn.Module, step: int) -> list[Image.Image]:
        """Draws samples, measures, and keeps the point; answers with the samples."""
        prompts.forget(self.stage)
        samples = self.draw(self.spec.sample_prompts())
        others = self.draw(self.spec.others)
        measures = self.measure(samples, others)
        metadata = export.describe(self.spec, self.prepared, self.lineage, step)

        def write(folder: Path) -> None:
            if step:  # before, there is nothing to keep
                self.learner.save(folder, metadata)

        points.save(self.folder / "points", step, write, samples, others, measures)
        return samples

    def draw(self, texts: tuple[str, ...]) -> list[Image.Image]:
        spec = self.spec
        return [
            generate(
                ImageSpec(
                    checkpoint=spec.checkpoint,
                    prompt=text,
                    width=spec.size,
                    height=spec.size,
                    steps=spec.sample_steps,
                    guidance=spec.guidance,
                    seed=spec.seed + number,
                ),
                pipeline=self.stage,
            ).images[0]
            for number, text in enumerate(texts)
        ]

    def measure(self, samples: list[Image.Image], others: list[Image.Image]) -> points.Measures:
        with self.learner.untaught():
            look = self.look or self.features()
            if self.looks is None:
                training = training_pictures(self.spec)
                self.looks = look(training)
                self.hashes = [pdq.hash_picture(picture) for picture in training]
            seen = look([*samples, *others])
            before = self.before()
            then = look(before) if before and others else seen[len(samples) :]
        return points.Measures(
            validation=self.validation,
            likeness=likeness.likeness(seen[: len(samples)], self.looks) if samples else 0.0,
            nearest=likeness.nearest(samples, self.hashes),
            drift=likeness.drift(seen[len(samples) :], then),
        )

    def features(self) -> likeness.Look:
        empty = torch.tensor([len(self.prepared.captions) - 1], device=self.stage.device)
        with torch.no_grad():
            words = self.learner.words(empty)
        self.look = likeness.Features(self.stage, self.spec.family, words, self.objective, self.spec.size)
        return self.look

    def before(self) -> list[Image.Image]:
        """The other prompts' pictures as they were before."""
        kept = [point for point in points.read(self.folder / "points") if point.step == 0]
        return [Image.open(file).convert("RGB") for point in kept for file in point.others]
