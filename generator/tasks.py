"""Celery tasks, each a few lines."""

from celery import shared_task

from generator import worker
from generator.queue import WAKE_UP


@shared_task(name=WAKE_UP)
def work() -> None:
    """A wake-up. It names no job: the worker claims until nothing is left, and takes no other wake-up meanwhile."""
    if current := worker.current():
        current.drain()
