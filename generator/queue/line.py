"""The line itself: entering it, keeping a lease, coming back after a loss."""

import logging
import uuid
from collections import Counter
from datetime import timedelta
from enum import StrEnum

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from generator.models import Job, QueueLane, State
from generator.queue.company import ALONE

log = logging.getLogger(__name__)

WAKE_UP = "atelier.work"  # the task's name; sent by name, so that the web process need not know the worker's code


def waiting() -> QuerySet[Job]:
    """Jobs that a worker may claim."""
    return Job.objects.filter(state=State.QUEUED)


def wake_workers(count: int = 1) -> None:
    """Tells idle workers that something waits. Without a broker they find it by their own timer."""
    try:
        for _wake_up in range(count):
            current_app.send_task(WAKE_UP, expires=60, retry=False)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; the job starts at a worker's next look", exc_info=True)


@transaction.atomic
def enter(jobs: list[Job]) -> None:
    """Writes new jobs and counts them as waiting, lanes in one order, so that two batches cannot deadlock."""
    Job.objects.bulk_create(jobs)
    lanes = Counter(tuple(job.lane.items()) for job in jobs)
    for lane, count in sorted(lanes.items()):
        QueueLane.objects.count_waiting(count, **dict(lane))


class Wish(StrEnum):
    """What somebody wants of a running job."""

    GO_ON = ""
    CANCEL = "cancel"
    PAUSE = "pause"


def renew(*, lease: uuid.UUID) -> Wish | None:
    """Keeps a running job for its worker. None: the lease is lost; otherwise what somebody wants of the job."""
    expires = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    if not Job.objects.holding(lease).update(lease_expires=expires):
        return None
    wishes = Job.objects.holding(lease).values_list("cancel_requested", "pause_requested").first()
    if wishes is None:
        return None
    cancel, pause = wishes
    return Wish.CANCEL if cancel else Wish.PAUSE if pause else Wish.GO_ON


def expired() -> QuerySet[Job]:
    """Jobs whose worker has not renewed its lease in time."""
    return Job.objects.filter(state=State.RUNNING, lease_expires__lt=timezone.now())


def recover(lost: QuerySet[Job] | None = None) -> list[Job]:
    """Puts jobs whose worker was lost back in line, or fails those that lost too many. Returns what it changed.

    One of several that ran together may not be to blame: it is tried again alone, and only that counts.
    """
    changed = []
    for job in expired() if lost is None else lost:
        attempts = job.attempts + (job.company <= ALONE)
        fruitless = attempts - job.forgiven
        log.warning("job %s lost its worker %s (%d of %d)", job.pk, job.worker, attempts, settings.JOB_MAX_ATTEMPTS)
        if job.cancel_requested:
            moved = job.move(State.CANCELLED, was_lease=job.lease, attempts=attempts)
        elif job.pause_requested:
            moved = job.move(State.PAUSED, was_lease=job.lease, attempts=attempts)
        elif job.company > ALONE:
            reason = _("The worker %(worker)s was lost while it made this and others together. It will be tried alone.")
            reason %= {"worker": job.worker}
            moved = job.move(State.QUEUED, was_lease=job.lease, company=ALONE, reason=reason)
        elif fruitless >= settings.JOB_MAX_ATTEMPTS:
            reason = _("The worker stopped %(n)d times while it made this. It will not be tried again by itself.")
            reason %= {"n": fruitless}
            moved = job.move(State.FAILED, was_lease=job.lease, attempts=attempts, reason=reason, quarantined=True)
        else:
            reason = _("The worker %(worker)s was lost. It will be tried again (attempt %(next)d of %(tries)d).")
            told = {"worker": job.worker, "next": fruitless + 1, "tries": settings.JOB_MAX_ATTEMPTS}
            moved = job.move(State.QUEUED, was_lease=job.lease, attempts=attempts, reason=reason % told)
        if moved:
            changed.append(job)
    return changed
