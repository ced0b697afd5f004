"""A training as a worker does it: a slice at a time, so that people who wait for pictures wait no longer than that.

Imports torch, like the runner that calls it. All that goes on from slice to slice lies in the training's folder, which
all workers share: whichever takes the next one goes on exactly where this one stopped, or was killed.
"""

import json
import logging
import shutil
import uuid
from collections.abc import Callable
from dataclasses import asdict
from statistics import median
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from generator import queue
from generator.diffusion.spec import Cancelled, SpecError, Step
from generator.diffusion.train import data, finetune, points, scratch, slices
from generator.diffusion.train.scratch_spec import ScratchSpec
from generator.diffusion.train.spec import Lineage
from generator.models import Checkpoint, Job, State, Training
from generator.progress import LeaseLost, Overdue, Paused, Progress, Yielded
from generator.services.trainings.planning import Spec, read_spec, seconds_left

log = logging.getLogger(__name__)
TOLD_EVERY = 2.0  # seconds between two writes of how far it is
ASKED_EVERY = 1.0  # seconds between two looks whether somebody waits


def teach(progress: Progress, source_of: Callable[[Checkpoint], str]) -> None:
    """One slice of what a claimed job asks for, which then is DONE or back in line. Raises as progress.check, and
    SpecError, CheckpointError."""
    training = Training.objects.select_related("checkpoint", "team", "owner").get(job=progress.job.pk)
    progress.job.training = training
    progress.check()
    spec = read_spec(training, source_of(training.checkpoint))
    _check_base(training)
    lesson = Lesson(progress, training, spec)
    try:
        is_whole = _slice(lesson)
    except Cancelled:
        lesson.write_down()
        if lesson.reason is None:
            raise
        raise lesson.reason from None
    if is_whole:
        lesson.end()
    else:
        lesson.write_down()
        left = lesson.left() or settings.TRAINING_SLICE_SECONDS
        cost = max(1.0, min(settings.TRAINING_SLICE_SECONDS, left))
        progress.end(State.QUEUED, cost=cost, retries=0, forgiven=progress.job.attempts)


def _slice(lesson: "Lesson") -> bool:
    """Whether it was trained to its end."""
    training, spec = lesson.training, lesson.spec
    slice_s, turn = settings.TRAINING_SLICE_SECONDS, lesson.should_yield
    if isinstance(spec, ScratchSpec):
        try:
            lay_out_set(training, spec.size, slices.limit(slice_s, turn), lesson.progress.check)
        except slices.SliceOver:
            return False
        return scratch.train_slice(spec, training.run, lesson.on_step, seconds=slice_s, should_yield=turn)
    lay_out(training)
    return finetune.train_slice(
        spec, training.run, lesson.on_step, seconds=slice_s, should_yield=turn, lineage=_lineage(training)
    )


class Lesson:
    """What a slice tells, and how it is made to stop."""

    def __init__(self, progress: Progress, training: Training, spec: Spec) -> None:
        self.progress, self.training, self.spec = progress, training, spec
        self.reason: Cancelled | Paused | Yielded | Overdue | None = None  # why the engine is stopped
        self._began = monotonic()
        self._first: int | None = None
        self._last = self._began  # when the last step was told
        self._taken: list[float] = []  # seconds of each step of training that drew nothing
        self._told = self._asked = self._began

    def on_step(self, step: Step) -> None:
        """As train_slice takes it. Stops the engine so that it saves, unless the lease is lost: then another has it."""
        now = monotonic()
        if step.loss is not None:
            if not step.previews and self._first is not None and self.training.loss is not None:
                self._taken.append(now - self._last)
            self.training.loss = step.loss
        else:
            self._taken.clear()  # what follows takes another time
        self._last = now
        self.training.step = step.index
        try:
            self.progress.on_training_step(step, left=self.left())
        except LeaseLost:
            raise
        except (Cancelled, Paused, Yielded, Overdue) as reason:
            self.reason = reason
            raise Cancelled(str(reason)) from reason
        if self._first is None:
            self._first = step.index
            self._forgive()
        elif now - self._told > TOLD_EVERY:
            self._told = now
            Training.objects.filter(pk=self.training.pk).update(step=self.training.step, loss=self.training.loss)

    def _forgive(self) -> None:
        """An attempt that begins further on than the one before shows that what that one did was kept."""
        if self._first is not None and self._first > self.training.begun_at:
            held = Job.objects.holding(self.progress.lease)
            if held.update(forgiven=F("attempts")):
                Training.objects.filter(pk=self.training.pk).update(begun_at=self._first)

    def should_yield(self) -> bool:
        """Whether somebody waits for pictures, once this has got so far that beginning it was worth it."""
        now = monotonic()
        if now - self._began < settings.TRAINING_LEAST_SECONDS or now - self._asked < ASKED_EVERY:
            return False
        self._asked = now
        return queue.is_wanted_elsewhere(self.progress.job)

    def left(self) -> float | None:
        """Seconds to the end of the whole training; None until a step was measured."""
        each = median(self._taken) if self._taken else self.training.step_seconds
        return None if each is None else seconds_left(self.spec, self.training.step, each)

    def write_down(self) -> None:
        """How far it is, and the points that are kept. LeaseLost."""
        facts = self._facts()

        def write() -> None:
            with transaction.atomic():
                self.progress.holding()
                Training.objects.filter(pk=self.training.pk).update(**facts)

        self.progress.write(write)

    def end(self) -> None:
        """Writes the end of it down, and that the job is DONE. LeaseLost."""
        facts = {**self._facts(), "step": self.spec.total}
        self.progress.flush()

        def write() -> None:
            job = self.progress.holding()
            with transaction.atomic():
                Training.objects.filter(pk=self.training.pk).update(**facts)
                if not job.move(State.DONE, was_lease=self.progress.lease, first_step=self.progress.first_step):
                    raise LeaseLost(str(job.pk))

        self.progress.write(write)
        self.progress.announce()

    def _facts(self) -> dict[str, Any]:
        kept = points.read(self.training.run / "points")
        best = points.propose(kept)
        facts: dict[str, Any] = {
            "step": self.training.step,
            "loss": self.training.loss,
            "spent": F("spent") + (monotonic() - self._began),
            "points": [_facts_of(point) for point in kept],
            "proposed": best.step if best else None,
        }
        if self._taken:
            facts["step_seconds"] = median(self._taken)
        return facts


def _facts_of(point: points.Point) -> dict[str, Any]:
    measures = {name: round(value, 5) for name, value in asdict(point.measures).items()}
    counts = {"samples": len(point.samples), "others": len(point.others)}
    return {"step": point.step, **measures, **counts, "is_overfitted": bool(point.step) and point.is_overfitted}


def _check_base(training: Training) -> None:
    """A training cannot go on with another model than it began with."""
    now = training.checkpoint.weights_hash
    if not training.base_hash and now:
        Training.objects.filter(pk=training.pk).update(base_hash=now)
        training.base_hash = now
    if training.base_hash != now:
        says = _("The model “%(name)s” was replaced since this began. Make a new version of it.")
        raise SpecError(says % {"name": training.checkpoint.name})


def _lineage(training: Training) -> Lineage:
    model = training.checkpoint
    return Lineage(
        base=model.name,
        base_hash=training.base_hash,
        licence=model.licence_name,
        licence_url=model.licence_url,
        author=str(training.team),
    )


def lay_out(training: Training) -> None:
    """Puts the pictures where the engine reads them, cropped and with captions, all or none of them, unless they are
    there. Raises SpecError where one is gone."""
    target = training.folder / "pictures"
    if (target / "metadata.jsonl").is_file():
        return
    workshop = training.folder / f".pictures-{uuid.uuid4().hex}"
    workshop.mkdir(parents=True)
    try:
        lines = []
        pictures = training.pictures.filter(removed=None).select_related("media").order_by("order", "added")
        for number, picture in enumerate(pictures):
            image = data.open_rgb(_bytes_of(picture), picture.name)
            if picture.crop:
                image = image.crop(tuple(picture.crop))
            name = f"{number:04d}.png"
            image.save(workshop / name)
            lines.append(json.dumps({"file_name": name, "text": picture.caption}, ensure_ascii=False))
        (workshop / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        workshop.replace(target)
        training.pictures.filter(removed=None, learned=None).update(learned=timezone.now())
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def lay_out_set(training: Training, size: int, may_stop: Callable[[], None], check: Callable[[], None]) -> None:
    """The same for a data set of thousands, which goes on where it stopped: squares of `size`, what is gone left out.

    check and may_stop are called after each picture, and may raise.
    """
    target = training.folder / "pictures"
    if (target / "metadata.jsonl").is_file():
        return
    target.mkdir(parents=True, exist_ok=True)
    lines, learned = {}, []
    for picture in training.usable_set.select_related("media").iterator(chunk_size=200):
        # By its own name: what is deleted between two slices must not move the others.
        file = target / f"{picture.pk.hex}.png"
        if not file.is_file():
            try:
                image = Image.fromarray(data.crop(data.open_rgb(_bytes_of(picture), picture.name), size))
            except SpecError:  # deleted at this moment, or damaged in storage
                log.warning("picture %s of training %s is left out", picture.pk, training.pk)
                continue
            fresh = file.with_suffix(".new")
            image.save(fresh, "PNG")
            fresh.replace(file)
            check()
            may_stop()
        lines[file.name] = json.dumps({"file_name": file.name, "text": picture.caption}, ensure_ascii=False)
        learned.append(picture.pk)
    if not lines:
        raise SpecError(_("All of its pictures were deleted."))
    for file in target.iterdir():
        if file.name not in lines:
            file.unlink()
    (target / "metadata.jsonl").write_text("\n".join(lines.values()) + "\n", encoding="utf-8")
    now = timezone.now()
    for at in range(0, len(learned), 500):
        training.pictures.filter(pk__in=learned[at : at + 500]).update(learned=now)


def _bytes_of(picture: Any) -> bytes:
    stored = picture.file or (picture.media.file if picture.media else None)
    gone = _("The picture “%(name)s” was deleted. Take it out, and start again.") % {"name": picture.name}
    if not stored:
        raise SpecError(gone)
    try:
        with stored.open("rb") as opened:
            return bytes(opened.read())
    except FileNotFoundError:
        raise SpecError(gone) from None
