"""The worker's inside: claims jobs one after the other, keeps their leases, ends itself when it hangs.

Runs in a Celery worker (`-P threads -c 1`): the main thread is Celery's, free for signals; the pool's one thread brings
wake-ups; `_sample` is the one thread that runs the engine; `_pulse` keeps leases and watches.
"""

import logging
import os
import queue as waiting_line
import socket
import threading
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections
from django.utils import timezone

from gallery import services as gallery
from generator import events, queue, services
from generator.models import Checkpoint, State
from generator.models import Worker as WorkerRow
from generator.progress import Progress

log = logging.getLogger(__name__)

TIDY_SECONDS = 3600
FORGOTTEN_DAYS = 1
EXIT_HUNG = 70  # EX_SOFTWARE: whoever started the worker starts another
_current: "Worker | None" = None


def current() -> "Worker | None":
    """The worker of this process, if this process is one."""
    return _current


class Worker:
    """One sampler, one pulse. `start`, then `drain` as often as wanted, then `stop`."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self.stopping = threading.Event()
        self._ended = threading.Event()
        self._requests: waiting_line.Queue[threading.Event] = waiting_line.Queue()
        self._running: Progress | None = None
        self._tidy_at = 0.0
        self._threads = [
            threading.Thread(target=self._sample, name="sampler", daemon=True),
            threading.Thread(target=self._pulse, name="pulse", daemon=True),
        ]

    def start(self) -> None:
        """Announces this worker and begins to look for jobs."""
        global _current
        _current = self
        WorkerRow.objects.update_or_create(name=self.name, defaults={"started": timezone.now(), "seen": timezone.now()})
        for thread in self._threads:
            thread.start()

    def drain(self) -> None:
        """Returns when nothing was left to claim after this call, or the worker has stopped."""
        done = threading.Event()
        self._requests.put(done)
        while not done.wait(0.5):
            if self._ended.is_set() or (self.stopping.is_set() and self._running is None):
                return

    def ask_to_stop(self) -> None:
        """The running job goes back in line at its next step, and no other is claimed. Returns at once."""
        self.stopping.set()
        self._requests.put(threading.Event())  # an idle sampler sees it now, not at its next look

    def stop(self, patience: float = 20.0) -> None:
        """Asks, waits at most `patience` seconds for the running job to be put back, and leaves the list of workers.

        A sampler without a job is not waited for: it may be loading a model, which takes long and loses nothing.
        """
        self.ask_to_stop()
        end = monotonic() + patience
        while self._running and monotonic() < end:
            self._ended.wait(0.05)
        WorkerRow.objects.filter(name=self.name).delete()

    # --- the sampler's thread ---------------------------------------------------------------------------------------

    def _sample(self) -> None:
        try:
            self._warm()
            self._look_for_jobs()
        finally:
            self._ended.set()

    def _look_for_jobs(self) -> None:
        while not self.stopping.is_set():
            try:
                request = self._requests.get(timeout=settings.WORKER_POLL_SECONDS)
            except waiting_line.Empty:
                request = None  # nobody called, but a wake-up may have been lost
            try:
                self._run_all()
                self._tidy()
            except Exception:  # the database is gone, say: the next look may find it back
                log.exception("could not look for jobs")
            finally:
                close_old_connections()
                if request:
                    request.set()

    def _tidy(self) -> None:
        if monotonic() < self._tidy_at:
            return
        self._tidy_at = monotonic() + TIDY_SECONDS
        tidy()

    def _warm(self) -> None:
        from generator import runner

        try:
            if checkpoint := Checkpoint.objects.enabled().filter(is_default=True).first():
                runner.warm(checkpoint)
            device, dtype = runner.pipelines.choose_device()
            WorkerRow.objects.filter(name=self.name).update(
                device=runner.pipelines.describe_device(device, dtype),
                dtype=runner.pipelines.name_dtype(dtype),
                checkpoint=checkpoint.name if checkpoint else "",
            )
        except Exception:  # the job that needs it will say so to the person who waits
            log.exception("the default model could not be loaded ahead")

    def _run_all(self) -> None:
        from generator import runner

        while not self.stopping.is_set():
            recover_lost()
            job = queue.claim(worker=self.name)
            if job is None:
                return
            self._running = Progress(job, self.stopping)
            try:
                runner.run(self._running)
            finally:
                self._running = None

    # --- the pulse's thread -----------------------------------------------------------------------------------------

    def _pulse(self) -> None:
        while not self._ended.wait(settings.JOB_HEARTBEAT_SECONDS):
            try:
                self.beat()
            except Exception:
                log.warning("the heartbeat did not reach the database", exc_info=True)
            finally:
                close_old_connections()

    def beat(self) -> None:
        """One beat: seen, lease renewed, wishes read; the process ends when its sampler has hung."""
        WorkerRow.objects.filter(name=self.name).update(seen=timezone.now())
        progress = self._running
        if progress is None:
            return
        if monotonic() - progress.alive > settings.JOB_STEP_DEADLINE_SECONDS:
            log.critical("no step for %d s in job %s: ending", settings.JOB_STEP_DEADLINE_SECONDS, progress.job.pk)
            os._exit(EXIT_HUNG)
        progress.heartbeat(queue.renew(lease=progress.lease))


def tidy() -> None:
    """Removes what time leaves behind: pictures too long in the trash, old sessions, workers long gone."""
    gallery.purge_trash()
    call_command("clearsessions")
    WorkerRow.objects.filter(seen__lt=timezone.now() - timedelta(days=FORGOTTEN_DAYS)).delete()


def recover_lost() -> None:
    """Deals with jobs whose worker was lost, and tells whoever waits for them."""
    for job in queue.recover():
        if job.state == State.QUEUED:
            events.tell_queued(job)
        else:
            services.refund(job)
            events.tell_ended(job)
