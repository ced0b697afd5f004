"""What becomes of jobs whose person or team has gone."""

from functools import partial

from django.db import transaction

from generator import events, previews, queue
from generator.models import Job, State
from generator.models.job import JobQuerySet
from generator.services.jobs import refund


def cancel_all(jobs: JobQuerySet) -> None:
    """Cancels whatever of `jobs` has not ended: at once what waits, within a step what runs."""
    for job in jobs.unfinished().select_related("generation"):
        if job.state == State.RUNNING:
            Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True)
            transaction.on_commit(partial(previews.ask, job.pk, queue.Wish.CANCEL))
        elif job.move(State.CANCELLED):
            refund(job)
            transaction.on_commit(partial(events.tell_ended, job))
