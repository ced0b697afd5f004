"""A running job as seen from outside: throttle, previews, cancel flag, filmstrip. One object a run, in the worker."""

import io
import logging
import threading
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from time import monotonic

from django.utils import timezone
from PIL.Image import Image

from generator import events, previews
from generator.diffusion.spec import Cancelled, Step
from generator.models import Job, State

log = logging.getLogger(__name__)

SHORTEST_INTERVAL = 0.05  # seconds between two progress events: every step while steps take longer
FILM_FRAMES = 12
WEBP = {"format": "WEBP", "quality": 75, "method": 0}

# Encoding and sending take place beside the sampler, one job's events in order.
_sender = ThreadPoolExecutor(1, thread_name_prefix="progress")


class LeaseLost(Exception):  # noqa: N818
    """Somebody else has this job now, or nobody: whatever this worker made of it must not be written."""


class Yielded(Exception):  # noqa: N818
    """The worker is to stop: the job goes back in line, and this does not count as an attempt."""


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
        self.alive = monotonic()  # of the last sign of life, for the watchdog
        self.films: list[list[Image]] = []
        self.first_step: datetime | None = None
        self._stopping = stopping or threading.Event()
        self._lost = threading.Event()
        self._cancel = threading.Event()
        self._film = film_steps(job.steps)
        self.report_s = 0.0  # seconds of the engine's time that telling of steps has taken
        self._sent = 0
        self._sent_at = float("-inf")
        self._times: deque[float] = deque([monotonic()], maxlen=11)
        self._last: Future[None] | None = None

    def heartbeat(self, answer: bool | None) -> None:
        """Takes what `queue.renew` said: None when the lease is lost, True when a cancel was asked for."""
        if answer is None:
            self._lost.set()
        elif answer:
            self._cancel.set()

    def check(self) -> None:
        """Raises LeaseLost, Cancelled or Yielded when the run is to stop."""
        self.alive = monotonic()
        if self._lost.is_set():
            raise LeaseLost(str(self.job.pk))
        if self._cancel.is_set() or self._asked_to_cancel():
            raise Cancelled(str(self.job.pk))
        if self._stopping.is_set():
            raise Yielded(str(self.job.pk))

    def _asked_to_cancel(self) -> bool:
        try:
            return previews.cancel_asked(self.job.pk)
        except Exception:  # the cache is gone: the heartbeat reads the row, which knows too
            return False

    def on_step(self, step: Step) -> None:
        """What `generate` calls after every denoising step."""
        started = monotonic()
        self._take(step)
        self.report_s += monotonic() - started

    def _take(self, step: Step) -> None:
        self.check()
        now = monotonic()
        self._times.append(now)
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
                self._sent_at = now
                self._sent += 1
                self._last = _sender.submit(self._send, self._live(step, len(pictures)), pictures)

    def _live(self, step: Step, count: int) -> previews.Live:
        per_step = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return previews.Live(
            attempt=self.job.attempts,
            seq=events.sequence(self.job, self._sent),
            step=step.index,
            steps=step.total,
            eta=round(per_step * (step.total - step.index), 2),
            count=count,
        )

    def _send(self, live: previews.Live, pictures: list[Image]) -> None:
        try:
            previews.write(self.job.pk, live, [_webp(picture) for picture in pictures])
            events.tell_progress(self.job, live)
        except Exception:  # events are hints: a lost one must not cost the picture
            log.warning("progress of %s could not be sent", self.job.pk, exc_info=True)

    def flush(self) -> None:
        """Waits until what was submitted has been sent, so that no progress follows the end of a job."""
        if self._last:
            self._last.result()

    def end(self, state: State, **fields: object) -> bool:
        """Takes the job out of RUNNING, if it is still this worker's, and tells browsers. False: the lease was lost."""
        self.flush()
        if not self.job.move(state, was_lease=self.lease, first_step=self.first_step, **fields):
            return False
        self.announce()
        return True

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
