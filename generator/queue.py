"""Which job next. The database is the queue of record; Celery only carries wake-ups (docs/decisions/0001-queue.md).

Start-time fair queueing (Goyal, Vin & Cheng, 1996): every account (a person in a team) has a virtual time, the cost it
was served so far; the least goes first, and one that returns after a rest starts at the minimum of those who wait.
"""

import logging
import uuid
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import Team, User
from generator.models import Checkpoint, Job, QueueAccount, State, Worker

log = logging.getLogger(__name__)

WAKE_UP = "atelier.work"  # the task's name; sent by name, so that the web process need not know the worker's code
FIRST_GUESS = 0.5  # seconds for one unit of cost (a megapixel-step), until a model has been measured here
RECENT = 20  # how many finished jobs the measured pace is taken from


def waiting() -> QuerySet[Job]:
    """Jobs that a worker may claim."""
    return Job.objects.filter(state=State.QUEUED)


def wake_workers() -> None:
    """Tells one idle worker that something waits. Without a broker the workers find it by their own timer."""
    try:
        current_app.send_task(WAKE_UP, expires=60, retry=False)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; the job starts at a worker's next look", exc_info=True)


def open_account(*, team: Team, user: User) -> QueueAccount:
    """The account of a new job. One that returns with nothing waiting or running is moved up to the present."""
    account, _created = QueueAccount.objects.get_or_create(team=team, user=user)
    busy = Job.objects.filter(state__in=[State.QUEUED, State.RUNNING])
    if not busy.filter(account=account).exists():
        # The present is the start of what is being served: what runs was charged at its claim, so take that off again.
        running = Job.objects.filter(account=OuterRef("pk"), state=State.RUNNING).order_by()
        charged = Coalesce(Subquery(running.values("account").annotate(n=Sum("cost")).values("n")), 0.0)
        others = QueueAccount.objects.filter(Exists(busy.filter(account=OuterRef("pk"))))
        present = others.aggregate(least=Min(F("virtual_time") - charged))["least"] or 0.0
        QueueAccount.objects.filter(pk=account.pk, virtual_time__lt=present).update(virtual_time=present)
    return account


def claim(*, worker: str) -> Job | None:
    """Takes the next job for `worker`, RUNNING with a new lease, or None when nothing waits.

    One short transaction: the account with the least virtual time, its first job, a conditional UPDATE. Two workers
    never get the same job: on PostgreSQL they skip each other's locked rows, on SQLite BEGIN IMMEDIATE lines them up.
    """
    with transaction.atomic():
        account = _locked(
            QueueAccount.objects.filter(Exists(waiting().filter(account=OuterRef("pk")))).order_by("virtual_time", "pk")
        ).first()
        if account is None:
            return None
        job = _locked(waiting().filter(account=account).order_by("-priority", "position")).first()
        if job is None:
            return None
        now = timezone.now()
        claimed = job.move(
            State.RUNNING,
            lease=uuid.uuid4(),
            lease_expires=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
            worker=worker,
            started=now,
            first_step=None,
        )
        if not claimed:
            return None
        QueueAccount.objects.filter(pk=account.pk).update(virtual_time=F("virtual_time") + job.cost)
        return job


def _locked(rows: QuerySet) -> QuerySet:
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows


def renew(*, lease: uuid.UUID) -> bool | None:
    """Keeps a running job for its worker. None: the lease is lost; otherwise whether somebody asked to cancel it."""
    expires = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    if not Job.objects.holding(lease).update(lease_expires=expires):
        return None
    return Job.objects.holding(lease).values_list("cancel_requested", flat=True).first()


def recover() -> list[Job]:
    """Puts jobs whose worker was lost back in line, or fails those that lost too many. Returns what it changed."""
    changed = []
    for job in Job.objects.filter(state=State.RUNNING, lease_expires__lt=timezone.now()):
        attempts = job.attempts + 1
        log.warning("job %s lost its worker %s (%d of %d)", job.pk, job.worker, attempts, settings.JOB_MAX_ATTEMPTS)
        if job.cancel_requested:
            moved = job.move(State.CANCELLED, was_lease=job.lease, attempts=attempts)
        elif attempts >= settings.JOB_MAX_ATTEMPTS:
            reason = _("The worker stopped %(n)d times while it made this. It will not be tried again by itself.")
            moved = job.move(State.FAILED, was_lease=job.lease, attempts=attempts, reason=reason % {"n": attempts})
        else:
            moved = job.move(State.QUEUED, was_lease=job.lease, attempts=attempts)
        if moved:
            changed.append(job)
    return changed


def pace(checkpoint: Checkpoint) -> float:
    """Seconds a unit of cost takes, measured over the last jobs of this model that were done."""
    recent = Job.objects.filter(state=State.DONE, generation__checkpoint=checkpoint).order_by("-finished")
    cost = seconds = 0.0
    for job in recent.only("cost", "started", "finished")[:RECENT]:
        if job.started and job.finished:
            cost += job.cost
            seconds += (job.finished - job.started).total_seconds()
    return seconds / cost if cost else FIRST_GUESS


def outlook(job: Job) -> tuple[int, float | None]:
    """(how many jobs go before this one, seconds until it starts) for a waiting job; None without a living worker.

    An estimate: jobs of accounts with less virtual time go first, and in one's own account those further ahead.
    """
    workers = Worker.objects.alive().count()
    ahead = waiting().filter(account=job.account_id, position__lt=job.position, priority__gte=job.priority)
    own = ahead.aggregate(n=Sum("cost"))["n"] or 0.0
    turn = job.account.virtual_time + own
    others = waiting().exclude(account=job.account_id).filter(account__virtual_time__lte=turn)
    cost = own + (others.aggregate(n=Sum("cost"))["n"] or 0.0)
    running = Job.objects.filter(state=State.RUNNING).aggregate(n=Sum("cost"))["n"] or 0.0
    before = ahead.count() + others.count()
    if not workers:
        return before, None
    return before, (cost + running / 2) * pace(job.generation.checkpoint) / workers
