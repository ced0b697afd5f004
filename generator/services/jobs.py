"""What happens to a job after it was asked for: cancel, pause, resume, move in line, retry, put away."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import services as people
from accounts.models import User
from accounts.permissions import can
from accounts.roles import Action
from generator import events, previews, queue
from generator.models import Generation, Job, State
from generator.services.creating import Refused, submit


def cancel_job(*, user: User, job: Job) -> Job:
    """Stops a job: at once while it waits, within one step while it runs. One that has ended stays as it is."""
    _check_changeable(user, job)
    job.refresh_from_db()
    with transaction.atomic():
        if not job.is_finished and job.state != State.RUNNING and job.move(State.CANCELLED):
            refund(job)
            transaction.on_commit(lambda: events.tell_ended(job))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True):
            transaction.on_commit(lambda: previews.ask(job.pk, queue.Wish.CANCEL))
    job.refresh_from_db()
    return job


def pause_job(*, user: User, job: Job) -> Job:
    """Lets a waiting job rest at once, a running one at its next step. Refused for one that has ended."""
    _check_changeable(user, job)
    job.refresh_from_db()
    if job.state == State.PAUSED:
        return job
    with transaction.atomic():
        if job.state == State.QUEUED and job.move(State.PAUSED):
            transaction.on_commit(lambda: events.tell_ended(job))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(pause_requested=True):
            transaction.on_commit(lambda: previews.ask(job.pk, queue.Wish.PAUSE))
        else:
            raise Refused(_("This has ended and cannot be paused."))
    job.refresh_from_db()
    return job


def resume_job(*, user: User, job: Job) -> Job:
    """Puts a paused job back in its place in line, or takes back the wish to pause one that still runs."""
    _check_changeable(user, job)
    job.refresh_from_db()
    with transaction.atomic():
        if job.state == State.PAUSED and job.move(State.QUEUED):
            transaction.on_commit(lambda: _tell_resumed(job))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(pause_requested=False):
            transaction.on_commit(lambda: previews.take_back(job.pk))
        elif job.state != State.QUEUED:
            raise Refused(_("This is not paused."))
    job.refresh_from_db()
    return job


def _tell_resumed(job: Job) -> None:
    queue.wake_workers()
    events.tell_queued(job)


@transaction.atomic
def move_job(*, user: User, job: Job, before: Job | None) -> None:
    """Moves a waiting job before another of the same person, team and urgency; None: behind all of them."""
    _check_changeable(user, job)
    if not queue.move([job], before=before):
        raise Refused(_("Only waiting jobs can be moved, among those of the same person and team."))
    transaction.on_commit(lambda: events.tell_queued(job))


def shift_job(*, user: User, job: Job, to: str) -> None:
    """Moves a waiting job among those it is in line with: "up" or "down" by one, or to the "front"."""
    _check_changeable(user, job)
    line = list(Job.objects.in_line_with(job))
    place = line.index(job) if job in line else 0
    if to == "down":
        if place + 1 >= len(line):
            raise Refused(_("This is the last of these jobs already."))
        following = line[place + 2 : place + 3]
        return move_job(user=user, job=job, before=following[0] if following else None)
    if place == 0:
        raise Refused(_("This is the first of these jobs already."))
    return move_job(user=user, job=job, before=line[0] if to == "front" else line[place - 1])


def refund(job: Job) -> None:
    """Gives back what was charged for pictures that never came."""
    if job.kind == Job.Kind.IMPORT:
        return
    day = timezone.localdate(job.created)
    pictures = job.training.undrawn if job.kind == Job.Kind.TRAIN else job.generation.count
    people.refund(user=job.owner, team=job.team, pictures=pictures, day=day)


@transaction.atomic
def retry_job(*, user: User, job: Job) -> Job:
    """A new job with the same settings, seed included, for the person who asks. Raises as create_generation does."""
    if not Job.objects.visible_to(user).filter(pk=job.pk).exists() or not can(user, Action.CREATE, job.team):
        raise PermissionDenied
    generation = Generation.objects.select_related("checkpoint", "style").get(pk=job.pk)
    if not generation.checkpoint.is_enabled:
        raise Refused(
            _("The model “%(name)s” is switched off. Choose another one.") % {"name": generation.checkpoint.name}
        )
    return submit(generation, user=user, team=job.team, visibility=job.visibility)


def hide_job(*, user: User, job: Job) -> None:
    """Takes an ended job off its owner's Create page. Its pictures stay in the gallery."""
    if job.owner_id != user.pk:
        raise PermissionDenied
    if not job.is_finished:
        raise Refused(_("Cancel this before you remove it."))
    Job.objects.filter(pk=job.pk).update(hidden=True)


def _check_changeable(user: User, job: Job) -> None:
    if not (user.is_superuser or Job.objects.changeable_by(user).filter(pk=job.pk).exists()):
        raise PermissionDenied
