"""The worker's side of exports and uploads: which errand next, one at a time in a process. The rows are the queue.

A wake-up names nothing and may be lost; a worker goes on until nothing waits, and is woken twice a minute in any case.
"""

import logging
import threading
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from gallery.models import Export, UploadedFile

TASK = "atelier.deliver"

log = logging.getLogger(__name__)

# Beside the long work of one errand a worker must stay free for short tasks.
_busy = threading.Lock()


def wake() -> None:
    """Lets a worker look, once what was written can be read."""
    transaction.on_commit(_wake)


def _wake() -> None:
    try:
        current_app.send_task(TASK, expires=60, retry=False)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; an errand starts when it does", exc_info=True)


def drain() -> int:
    """Does errands until none waits, and returns how many; at once when another thread of this process is at it."""
    done = 0
    while is_waiting() and _busy.acquire(blocking=False):
        try:
            while _next():
                done += 1
        finally:
            _busy.release()
    return done


def is_waiting() -> bool:
    """Whether anything is to be done."""
    return _files().waiting().exists() or Export.objects.waiting().exists()


def _files() -> Any:
    """Those that came by themselves: what lies in a zip goes with the zip."""
    return UploadedFile.objects.filter(archive=None)


def _next() -> bool:
    """One uploaded file and one export, so that neither kind waits for all of the other."""
    from gallery.services import exporting, intake

    file = _files().claim()
    if file is not None:
        intake.take_in(file)
    export = Export.objects.all().claim()
    if export is not None:
        exporting.prepare(export)
    return file is not None or export is not None
