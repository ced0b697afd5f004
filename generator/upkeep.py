"""What has to be done now and then, by whoever has no model to load: tasks of the light queue, and of idle workers."""

import logging
from datetime import timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import services as people
from gallery import services as gallery
from generator import events, queue, services, tail
from generator.models import Job, State, Worker

log = logging.getLogger(__name__)

FORGOTTEN_DAYS = 1
_suspects: dict[UUID, float] = {}  # leases that this process has seen expired, and since when (monotonic)


def recover_lost(*, wait: float | None = None) -> bool:
    """Deals with jobs whose worker was lost, and tells whoever waits for them. Whether there were any.

    A lease must have been seen expired for `wait` seconds, two heartbeats by default: when the database was away, every
    lease has run out, and the workers that live have to get the chance to renew theirs.
    """
    wait = 2 * settings.JOB_HEARTBEAT_SECONDS if wait is None else wait
    now = monotonic()
    seen = {lease: _suspects.get(lease, now) for lease in queue.expired().values_list("lease", flat=True) if lease}
    _suspects.clear()
    _suspects.update(seen)
    lost = [lease for lease, since in seen.items() if now - since >= wait]
    recovered = queue.recover(queue.expired().filter(lease__in=lost)) if lost else []
    for job in recovered:
        last = f"{timezone.now():%Y-%m-%d %H:%M:%S} the worker {job.worker} was lost"
        Job.objects.filter(pk=job.pk).update(log=f"{tail.left(job.pk)}\n{last}".lstrip())
        if job.is_finished:
            services.refund(job)
        if job.state == State.QUEUED:
            events.tell_queued(job)
        else:
            events.tell_ended(job)
    return bool(recovered)


def tidy() -> None:
    """Removes what time leaves behind: pictures too long in the trash, old sessions, workers long gone; counts anew."""
    gallery.purge_trash()
    gallery.purge_searches()
    gallery.purge_exports()
    gallery.purge_uploads()
    call_command("clearsessions")
    people.forget_old_sessions()
    people.forget_answers()
    people.forget_deliveries()
    Worker.objects.filter(seen__lt=timezone.now() - timedelta(days=FORGOTTEN_DAYS)).delete()
    queue.audit()


def find_orphans(*, remove: bool, older_than: float | None = None) -> gallery.Orphans:
    """Files without rows and rows without files. `remove` deals with them and lets the jobs of lost pictures know.

    Raises gallery.StorageInDoubt when so much is missing that nothing should be touched.
    """
    orphans = gallery.find_orphans(older_than=older_than)
    if remove and orphans:
        with transaction.atomic():
            gallery.remove_orphans(orphans)
            _tell_jobs([media.job for media in orphans.media if media.job])
    return orphans


def _tell_jobs(lost: list[UUID]) -> None:
    """The jobs whose pictures are gone say so, once."""
    for pk in set(lost):
        count = lost.count(pk)
        reason = ngettext(
            "A picture of this job is no longer in storage.",
            "%(n)d pictures of this job are no longer in storage.",
            count,
        ) % {"n": count}
        Job.objects.filter(pk=pk, state=State.DONE).update(reason=reason)
