"""Bringing models in, for administrators: asked for, in pieces if they come from a browser, cancelled, tried again."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from generator import events, previews, queue
from generator.models import Intake, Job, State
from generator.services.refused import Refused

PIECE = 8 * 2**20  # the largest piece of an upload
STEPS = 100


def begin_intake(*, user: User, **wanted: Any) -> Intake:
    """Asks for a model (fields of Intake). What is uploaded starts once all of it has come. Superusers only."""
    if not user.is_superuser:
        raise PermissionDenied
    intake = Intake.objects.create(user=user, **wanted)
    if intake.origin != Intake.Origin.UPLOAD:
        _start(intake)
    return intake


@transaction.atomic
def _start(intake: Intake) -> None:
    user = intake.user
    team = user.personal_team
    job = Job(
        kind=Job.Kind.IMPORT,
        team=team,
        owner=user,
        visibility="private",
        account=queue.open_account(team=team, user=user),
        position=queue.positions(1)[0],
        urgency=Job.Urgency.BATCH,
        steps=STEPS,
        cost=60.0,  # seconds, as a guess: it holds a place in line, and no picture's time is learned from it
    )
    queue.enter([job])
    Intake.objects.filter(pk=intake.pk).update(job=job, done=0, stage="")
    intake.job = job
    transaction.on_commit(queue.wake_workers)


def upload_path(pk: UUID) -> Path:
    """Where the pieces of an upload gather."""
    return Path(settings.MODELS_ROOT) / ".uploads" / str(pk)


def add_piece(*, user: User, intake: Intake, offset: int, data: bytes) -> int:
    """Appends a piece of an upload and returns how much is there, so that it goes on wherever it stopped.

    A piece that does not begin where the last one ended changes nothing.
    """
    if not user.is_superuser or intake.user_id != user.pk:
        raise PermissionDenied
    if intake.job_id or intake.origin != Intake.Origin.UPLOAD:
        raise Refused(_("This upload is complete."))
    if len(data) > PIECE or offset + len(data) > intake.size:
        raise Refused(_("There are more bytes than were announced."))
    path = upload_path(intake.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as opened:
        if opened.tell() == offset:
            opened.write(data)
        there = opened.tell()
    Intake.objects.filter(pk=intake.pk).update(done=there)
    if there == intake.size:
        _start(intake)
    return there


def cancel_intake(*, user: User, intake: Intake) -> None:
    """Stops it, and what has come is removed."""
    if not user.is_superuser:
        raise PermissionDenied
    job = intake.job
    if job is None:
        upload_path(intake.pk).unlink(missing_ok=True)
        intake.delete()
        return
    with transaction.atomic():
        job.refresh_from_db()
        if job.state in (State.QUEUED, State.PAUSED) and job.move(State.CANCELLED):
            transaction.on_commit(lambda: events.tell_ended(job))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True):
            transaction.on_commit(lambda: previews.ask(job.pk, queue.Wish.CANCEL))


def retry_intake(*, user: User, intake: Intake) -> None:
    """Another job for what failed or was cancelled. Refused while one is under way, and for an upload that is gone."""
    if not user.is_superuser:
        raise PermissionDenied
    if intake.job is None or not intake.job.is_finished or intake.job.state == State.DONE:
        raise Refused(_("This has not ended, or has come in already."))
    if intake.origin == Intake.Origin.UPLOAD and not upload_path(intake.pk).exists():
        raise Refused(_("The uploaded file is gone. Upload it again."))
    _start(intake)
