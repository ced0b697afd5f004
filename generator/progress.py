"""A running job as seen from outside: throttle, previews, cancel flag, filmstrip. One object a run, in the worker."""

import io
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from time import monotonic
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from PIL.Image import Image

from generator import events, previews, queue
from generator.diffusion.spec import Cancelled, Step
from generator.models import Job, State
from generator.patience import patiently

log = logging.getLogger(__name__)
T = TypeVar("T")

SHORTEST_INTERVAL = 0.05  # seconds between two progress events: every step while steps take longer
FILM_FRAMES = 12
DEAF_SECONDS = 5.0  # how long a cache that did not answer is left alone: each question could cost seconds
WEBP = {"format": "WEBP", "quality": 75, "method": 0}

# Encoding and sending take place beside the sampler, one job's events in order.
_sender = ThreadPoolExecutor(1, thread_name_prefix="progress")


class LeaseLost(Exception):  # noqa: N818
    """Somebody else has this job now, or nobody: whatever this worker made of it must not be written."""


class Paused(Exception):  # noqa: N818
    """Somebody wants this job to rest: it leaves the worker and goes on when they say so."""


class Yielded(Exception):  # noqa: N818
    """The worker is to stop: the job goes back in line, and this does not count as an attempt."""


class Overdue(Exception):  # noqa: N818
    """The job takes many times as long as its like, so that something must be wrong with it."""


def film_steps(total: int, frames: int = FILM_FRAMES) -> frozenset[int]:
    """Which steps (from 1) stand in the filmstrip: first and last, the rest evenly between, at most `frames`."""
    if total <= frames:
        return frozenset(range(1, total + 1))
    return frozenset(1 + round(i * (total - 1) / (frames - 1)) for i in range(frames))


class Progress:
    """Receives the engine's steps; tells browsers and keeps the frames of the filmstrip.

    `heartbeat` is called from the worker's pulse, in another thread; what it learns is raised here, at the next step,
    because an exception from `on_step` is the one way to stop the engine.
    """

    def __init__(self, job: Job, stopping: threading.Event | None = None) -> None:
        assert job.lease is not None
        self.job = job
        self.lease: uuid.UUID = job.lease
        self.alive = self.began = monotonic()  # alive: of the last sign of life, for the watchdog
        self.allowed: float | None = None  # seconds for the whole run; None: nobody knows how long it should take
        self.films: list[list[Image]] = []
        self.first_step: datetime | None = None
        self._stopping = stopping or threading.Event()
        self._lost = threading.Event()
        self._wish: str | None = None
        self._deaf_until = 0.0
        self._film = film_steps(job.steps)
        self.report_s = 0.0  # seconds of the engine's time that telling of steps has taken
        self._done = 0.0  # how much of the work was served: what is not, is given back to whoever was charged
        self._sent = 0
        self._sent_at = float("-inf")
        self._times: deque[float] = deque([monotonic()], maxlen=11)
        self._left: float | None = None  # seconds that the remaining steps will take
        self._last: Future[None] | None = None

    def heartbeat(self, answer: str | None) -> None:
        """Takes what `queue.renew` said: None when the lease is lost, otherwise what somebody wants of the job."""
        if answer is None:
            self._lost.set()
        elif answer:
            self._wish = answer

    def check(self) -> None:
        """Raises LeaseLost, Cancelled, Paused, Yielded or Overdue when the run is to stop."""
        self.live()
        if self._lost.is_set():
            raise LeaseLost(str(self.job.pk))
        wish = self._asked() or self._wish
        if wish == queue.Wish.CANCEL:
            raise Cancelled(str(self.job.pk))
        if wish == queue.Wish.PAUSE:
            raise Paused(str(self.job.pk))
        if self._stopping.is_set() and not self._is_nearly_done():
            raise Yielded(str(self.job.pk))
        if self.allowed is not None and self.alive - self.began > self.allowed:
            raise Overdue(str(self.job.pk))

    def live(self) -> None:
        """A sign of life, for the watchdog."""
        self.alive = monotonic()

    def _is_nearly_done(self) -> bool:
        """Whether what is left of the steps fits into the time that a worker has to stop."""
        return self._left is not None and self._left <= settings.WORKER_GRACE_SECONDS

    def _asked(self) -> str | None:
        if monotonic() < self._deaf_until:
            return None
        try:
            return previews.asked(self.job.pk)
        except Exception:  # the cache is gone: the heartbeat reads the row, which knows too
            self._deaf_until = monotonic() + DEAF_SECONDS
            return None

    def on_step(self, step: Step) -> None:
        """What `generate` calls after every denoising step."""
        started = monotonic()
        self._take(step)
        self.report_s += monotonic() - started

    def _take(self, step: Step) -> None:
        self.check()
        now = monotonic()
        self._times.append(now)
        self._done = step.index / step.total
        per_step = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        self._left = per_step * (step.total - step.index)
        if step.index == 1:
            self.first_step = timezone.now()
        filmed = step.index in self._film
        shown = now - self._sent_at >= SHORTEST_INTERVAL or step.index == step.total
        if filmed or shown:
            pictures = list(step.previews)
            if filmed:
                self.films = self.films or [[] for _picture in pictures]
                for film, picture in zip(self.films, pictures, strict=True):
                    film.append(picture)
            if shown:
                self._show(step, pictures)

    def on_training_step(self, step: Step, *, left: float | None) -> None:
        """What a training tells in a slice, with the seconds that remain to its end. Its cost is that of the slice."""
        self.check()
        now = monotonic()
        self._done = (now - self.began) / self.job.cost
        self._left = left
        if self.first_step is None:
            self.first_step = timezone.now()
        if step.previews or now - self._sent_at >= SHORTEST_INTERVAL or step.index == step.total:
            self._show(step, list(step.previews))

    def _show(self, step: Step, pictures: list[Image]) -> None:
        self._sent_at = monotonic()
        self._sent += 1
        live = self._live(step, len(pictures))
        self._last = _sender.submit(copy_context().run, self._send, live, pictures)

    def _live(self, step: Step, count: int) -> previews.Live:
        return previews.Live(
            attempt=self.job.attempts,
            seq=events.sequence(self.job, self._sent),
            step=step.index,
            steps=step.total,
            eta=None if self._left is None else round(self._left, 2),
            count=count,
            loss=step.loss,
        )

    def _send(self, live: previews.Live, pictures: list[Image]) -> None:
        if monotonic() < self._deaf_until:
            return
        try:
            previews.write(self.job.pk, live, [_webp(picture) for picture in pictures])
            events.tell_progress(self.job, live)
        except Exception:  # events are hints: a lost one must not cost the picture
            self._deaf_until = monotonic() + DEAF_SECONDS
            log.warning("progress of %s could not be sent", self.job.pk, exc_info=True)

    def flush(self) -> None:
        """Waits until what was submitted has been sent, so that no progress follows the end of a job."""
        if self._last:
            self._last.result()

    def end(self, state: State, then: Callable[[], None] = lambda: None, **fields: object) -> bool:
        """Takes the job out of RUNNING, if it is still this worker's, and tells browsers. False: the lease was lost.

        `then` is done in the same transaction.
        """
        self.flush()
        fields.setdefault("served", self.job.cost * self._done)

        def move() -> bool:
            with transaction.atomic():
                moved = self.holding().move(state, was_lease=self.lease, first_step=self.first_step, **fields)
                if moved:
                    then()
            return moved

        try:
            if not self.write(move):
                return False
        except LeaseLost:
            return False
        self.announce()
        return True

    def write(self, rows: Callable[[], T]) -> T:
        """What `rows` returns; while the database is away, it is tried again for as long as the settings allow."""
        return patiently(rows, seconds=settings.JOB_FINAL_WRITE_SECONDS, meanwhile=self.live)

    def holding(self) -> Job:
        """The job as its row is now: an attempt to write that failed leaves its marks on the object. LeaseLost."""
        job = Job.objects.holding(self.lease).select_related("team", "owner", "generation").first()
        if job is None:
            raise LeaseLost(str(self.job.pk))
        self.job = job
        return job

    def announce(self) -> None:
        """Tells browsers how the job's row stands now, after it has left RUNNING."""
        try:
            previews.forget(self.job.pk)
            if self.job.state == State.QUEUED:
                events.tell_queued(self.job)
            else:
                events.tell_ended(self.job)
        except Exception:
            log.warning("the end of %s could not be sent", self.job.pk, exc_info=True)


def _webp(picture: Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **WEBP)
    return buffer.getvalue()
