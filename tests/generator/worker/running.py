"""Runs the next job in this thread, as a worker would."""

import threading

from generator import queue, runner
from generator.progress import Progress


def run_next(stopping: threading.Event | None = None) -> Progress:
    job = queue.claim(worker="test")
    assert job is not None
    progress = Progress(job, stopping)
    runner.run(progress)
    return progress
