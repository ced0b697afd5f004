"""The worker's inside: claims jobs one after the other, keeps their leases, ends itself when it hangs.

Runs in a Celery worker (`-P threads`): the main thread is Celery's, free for signals; the pool's threads bring
wake-ups; `_sample` is the one thread that runs the engine; `_pulse` keeps leases and watches. Neither ends because the
database, the broker or the storage is away.
"""

import logging
import os
import queue as waiting_line
import socket
import sys
import threading
import traceback
from time import monotonic

from django.conf import settings
from django.db import close_old_connections
from django.db.models import F
from django.utils import timezone

from generator import queue, tail, trail
from generator.models import Checkpoint, Job, State
from generator.models import Worker as WorkerRow
from generator.patience import patiently
from generator.progress import Progress
from generator.upkeep import recover_lost

log = logging.getLogger(__name__)

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
        self._running: list[Progress] = []
        self._draining = threading.Lock()
        self._jobs_done = 0  # since the last beat
        self._is_warm = False
        self._is_in_doubt = False  # whether the last look ended in an error
        self._loaded: list[str] = []
        self._plans: dict[str, str] = {}
        self._threads = [
            threading.Thread(target=self._sample, name="sampler", daemon=True),
            threading.Thread(target=self._pulse, name="pulse", daemon=True),
        ]

    def start(self) -> None:
        """Begins to announce this worker and to look for jobs."""
        global _current
        _current = self
        tail.start()
        for thread in self._threads:
            thread.start()

    def drain(self) -> None:
        """Returns when nothing was left to claim after this call, or the worker has stopped.

        While another thread waits here already it returns at once: the sampler will look once more after this call.
        """
        done = threading.Event()
        self._requests.put(done)
        if not self._draining.acquire(blocking=False):
            return
        try:
            while not done.wait(0.5):
                if self._ended.is_set() or (self.stopping.is_set() and not self._running):
                    return
        finally:
            self._draining.release()

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
        try:
            WorkerRow.objects.filter(name=self.name).delete()
        except Exception:  # the row grows old by itself
            log.warning("could not sign off", exc_info=True)

    # --- the sampler's thread ---------------------------------------------------------------------------------------

    def _sample(self) -> None:
        try:
            self._announce(started=timezone.now())
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
                self._give_back_strays()
                self._run_all()
            except Exception:  # the database is gone, say: the next look may find it back
                log.exception("could not look for jobs")
                self._is_in_doubt = True
            finally:
                close_old_connections()
                if request:
                    request.set()

    def _give_back_strays(self) -> None:
        """A claim may have come through although its answer was lost with the connection: nobody runs that job."""
        if self._is_in_doubt:
            for job in Job.objects.filter(state=State.RUNNING, worker=self.name):
                log.warning("job %s was claimed unawares; it goes back in line", job.pk)
                job.move(State.QUEUED, was_lease=job.lease)
            self._is_in_doubt = False

    def _announce(self, **facts: object) -> None:
        """Makes or renews this worker's row, however long the database takes to answer."""
        row = {"seen": timezone.now(), **facts}
        patiently(lambda: WorkerRow.objects.update_or_create(name=self.name, defaults=row), seconds=float("inf"))

    def _warm(self) -> None:
        from generator import device, runner

        try:
            if checkpoint := Checkpoint.objects.enabled().filter(is_default=True).first():
                runner.warm(checkpoint)
        except Exception:  # the job that needs it will say so to the person who waits
            log.exception("the default model could not be loaded ahead")
        self._loaded, self._plans = runner.loaded(), runner.plans()
        try:
            self._announce(**device.describe(), families=device.families(), loaded=self._loaded, plans=self._plans)
            self._is_warm = True
        except Exception:  # it can work although nobody knows what it can do: the queue takes it for able
            log.exception("could not tell what this worker can do")

    def _run_all(self) -> None:
        while not self.stopping.is_set():
            job = queue.claim(worker=self.name)
            if job is None:
                return
            self._run(job)

    def _run(self, job: Job) -> None:
        from generator import runner

        tail.start()
        self._running = [Progress(job, self.stopping)]  # from here on its lease is kept
        try:
            others = runner.gather(job, worker=self.name)[1:]
            self._running = [*self._running, *(Progress(other, self.stopping) for other in others)]
            is_sound = runner.run_together(self._running)
            self._jobs_done += len(self._running)
        finally:
            self._running = []
        if not is_sound:
            log.critical("the device has failed: ending, so that another process can take its place")
            os._exit(EXIT_HUNG)
        loaded, plans = runner.loaded(), runner.plans()
        if (loaded, plans) != (self._loaded, self._plans):  # the next claim goes by what is loaded
            self._loaded, self._plans = loaded, plans
            WorkerRow.objects.filter(name=self.name).update(loaded=loaded, plans=plans)

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
        """One beat: lease renewed, wishes read, seen, lost jobs of others taken up; ends a process that has hung."""
        running = self._running
        if running and monotonic() - max(progress.alive for progress in running) > settings.JOB_STEP_DEADLINE_SECONDS:
            self._end_hung(running)
        for progress in running:
            progress.heartbeat(queue.renew(lease=progress.lease))
        self._tell_seen()
        if recover_lost():
            self._requests.put(threading.Event())  # one of them may be for this worker
        for progress in running:
            tail.leave(progress.job.pk)

    def _tell_seen(self) -> None:
        if not self._is_warm or self.stopping.is_set():
            WorkerRow.objects.filter(name=self.name).update(seen=timezone.now())
            return
        from generator import device

        done, facts = self._jobs_done, {"memory_free": device.memory()[0], "families": device.families()}
        if not WorkerRow.objects.filter(name=self.name).update(
            seen=timezone.now(), jobs_done=F("jobs_done") + done, **facts
        ):
            self._announce(
                **device.describe(), **facts, loaded=self._loaded, plans=self._plans
            )  # somebody had removed the row
        self._jobs_done -= done

    def _end_hung(self, running: list[Progress]) -> None:
        """What the sampler was doing stays with the jobs; whoever recovers them finds that."""
        seconds = settings.JOB_STEP_DEADLINE_SECONDS
        sampler = sys._current_frames().get(self._threads[0].ident or 0)
        stack = "".join(traceback.format_stack(sampler)) if sampler else ""
        try:
            for progress in running:
                with trail.following(request=progress.job.request, job=progress.job.pk):
                    log.critical("no step for %d s in job %s: ending", seconds, progress.job.pk)
                trace = f"No step for {seconds} s, in:\n{stack}"
                Job.objects.holding(progress.lease).update(trace=trace, log=tail.text())
        finally:
            os._exit(EXIT_HUNG)
