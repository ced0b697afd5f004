"""Celery tasks, each a few lines. `work` is for workers with an engine; the others load no model (settings, routes)."""

import logging

from celery import shared_task

from gallery.services import StorageInDoubt
from generator import outside, upkeep, worker
from generator.queue import WAKE_UP

log = logging.getLogger(__name__)


@shared_task(name=WAKE_UP)
def work() -> None:
    """A wake-up. It names no job: the worker claims until nothing is left, and takes no other wake-up meanwhile."""
    if current := worker.current():
        current.drain()


@shared_task(name="atelier.recover")
def recover() -> None:
    """Jobs of lost workers go back in line even while no other worker lives; webhooks hear what nobody told them."""
    upkeep.recover_lost()
    outside.tell_missed()


@shared_task(name="atelier.tidy")
def tidy() -> None:
    """Removes what time leaves behind."""
    upkeep.tidy()


@shared_task(name="atelier.orphans")
def orphans() -> None:
    """Removes files without rows; puts pictures without files into the trash, unless too many are missing."""
    try:
        upkeep.find_orphans(remove=True)
    except StorageInDoubt as doubt:
        log.error("%s", doubt)
