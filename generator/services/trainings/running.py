"""A training from its draft to its end: prepared, started, paused, stopped, begun again."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import services as people
from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator import events, queue
from generator.diffusion.spec import SpecError
from generator.diffusion.train.planning import suggest_word
from generator.diffusion.train.scratch_spec import ScratchSpec
from generator.diffusion.train.spec import check_word
from generator.models import Adapter, Checkpoint, Job, Training, TrainingPicture
from generator.services import assets, jobs
from generator.services.creating import check_room
from generator.services.refused import Refused
from generator.services.trainings.pictures import check_draft
from generator.services.trainings.planning import (
    Spec,
    cost_of,
    memory_of,
    plan,
    read_spec,
    step_seconds,
    write_spec,
)
from generator.services.trainings.ready import readiness

CHANGES = ("steps", "rank", "learning_rate", "seed", "points", "size", "vectors", "is_flipped")  # that people may make
MOST_STEPS = 20_000


@transaction.atomic
def draft_training(
    *,
    user: User,
    team: Team,
    checkpoint: Checkpoint,
    name: str,
    kind: str = Training.Kind.SUBJECT,
    noun: str = "",
    word: str = "",
    method: str = Training.Method.LORA,
    changes: dict[str, Any] | None = None,
) -> Training:
    """Something that is to be taught, without pictures yet. Raises PermissionDenied, Refused."""
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    training = Training(team=team, owner=user)
    _fill_in(training, user, checkpoint, name, kind, noun, word, method, changes or {})
    training.save(force_insert=True)
    return training


@transaction.atomic
def change_training(
    *,
    user: User,
    training: Training,
    checkpoint: Checkpoint,
    name: str,
    noun: str = "",
    word: str = "",
    method: str = Training.Method.LORA,
    changes: dict[str, Any] | None = None,
) -> None:
    """Other settings for one that was not started. Raises PermissionDenied, Refused."""
    check_draft(user, training)
    if training.is_scratch:
        raise Refused(_("A model from scratch is drafted anew."))
    _fill_in(training, user, checkpoint, name, training.kind, noun, word, method, changes or {})
    training.save()


def _fill_in(
    training: Training,
    user: User,
    checkpoint: Checkpoint,
    name: str,
    kind: str,
    noun: str,
    word: str,
    method: str,
    changes: dict[str, Any],
) -> None:
    assets.check_usable([checkpoint], user, training.team)
    if unknown := changes.keys() - {*CHANGES}:
        raise Refused(_("“%(name)s” cannot be set.") % {"name": min(unknown)})
    name = " ".join(name.split())[:80]
    if not name:
        raise Refused(_("Give it a name."))
    try:
        word = word.strip() or suggest_word(name, method)
        check_word(word)
    except SpecError as error:
        raise Refused(str(error)) from error
    training.checkpoint, training.name, training.kind = checkpoint, name, kind
    training.noun, training.word, training.method = noun.strip()[:60], word, method
    training.changes = {name: value for name, value in changes.items() if value not in (None, "")}
    if plan(training, 10).steps > MOST_STEPS:
        raise Refused(_("At most %(n)d steps.") % {"n": MOST_STEPS})


@transaction.atomic
def start_training(*, user: User, training: Training) -> Training:
    """Puts it in line, to begin or to go on where it ended before its time.

    Whatever is wrong with its pictures, their rights or the quota is Refused before anything is computed.
    """
    training = _locked(user, training)
    if training.is_under_way:
        raise Refused(_("This is under way already."))
    if training.is_done:
        raise Refused(_("This was trained to its end. Make a new version of it."))
    ready = readiness(training)
    if not ready.is_ready:
        raise Refused(" ".join(ready.advice))
    assets.check_usable([training.checkpoint], user, training.team)
    check_room(user=user, team=training.team)
    is_first = training.is_draft
    count = (training.usable_set if training.is_scratch else training.pictures.filter(removed=None)).count()
    spec = plan(training, count) if is_first else read_spec(training, training.checkpoint.source)
    cost = cost_of(training, spec)
    if is_first:
        training.spec, training.steps, training.drawn = write_spec(spec), spec.total, cost.pictures
        training.word = training.word if isinstance(spec, ScratchSpec) else spec.word
    if cost.can_run is False:
        says = _(
            "No worker has what this needs (%(n)d MiB of memory). Choose a smaller model, or ask an administrator."
        )
        raise Refused(says % {"n": cost.memory})
    training.charged = training.pictures_left
    try:
        people.charge(user=training.owner, team=training.team, pictures=training.charged)
    except people.QuotaExceeded as error:
        says = _("It draws %(n)d pictures while it learns.") % {"n": training.charged}
        raise Refused(f"{says} {error}") from error
    training.job = _enter(training, spec)
    training.save()
    return training


def _enter(training: Training, spec: Spec) -> Job:
    slice_s = settings.TRAINING_SLICE_SECONDS
    job = Job(
        kind=Job.Kind.TRAIN,
        team=training.team,
        owner=training.owner,
        account=queue.open_account(team=training.team, user=training.owner, urgency=Job.Urgency.TRAINING),
        position=queue.positions(1)[0],
        urgency=Job.Urgency.TRAINING,
        family=training.checkpoint.family,
        memory=memory_of(training.checkpoint, spec),
        loads=training.checkpoint.slug,
        steps=spec.total,
        cost=max(1.0, min(slice_s, spec.total * step_seconds(training, spec))),  # of a slice
    )
    queue.enter([job])
    transaction.on_commit(queue.wake_workers)
    transaction.on_commit(lambda: events.tell_queued(job))
    return job


def pause_training(*, user: User, training: Training) -> None:
    """Lets it rest after its step, with all that it has learned."""
    jobs.pause_job(user=user, job=_job(user, training))


def resume_training(*, user: User, training: Training) -> None:
    """Lets a paused one go on."""
    jobs.resume_job(user=user, job=_job(user, training))


def stop_training(*, user: User, training: Training) -> None:
    """Ends it before its time. The points that it has kept can be chosen, and starting it again goes on from here."""
    jobs.cancel_job(user=user, job=_job(user, training))


def _job(user: User, training: Training) -> Job:
    found = Training.objects.changeable_by(user).filter(pk=training.pk).select_related("job").first()
    if found is None:
        raise PermissionDenied
    if found.job is None:
        raise Refused(_("This was not started yet."))
    return found.job


@transaction.atomic
def new_version(*, user: User, training: Training) -> Training:
    """A draft with the same settings, pictures and statements, to be changed and taught anew."""
    if not can(user, Action.CREATE, training.team):
        raise PermissionDenied
    kept = ("team", "kind", "name", "noun", "word", "method", "checkpoint", "changes")
    fresh = Training(owner=user, previous=training, **{name: getattr(training, name) for name in kept})
    fresh.version = _next_version(training)
    fresh.save(force_insert=True)
    for picture in training.pictures.filter(removed=None):
        if picture.file or picture.media_id:
            _copy(picture, fresh)
    return fresh


def _copy(picture: TrainingPicture, training: Training) -> None:
    names = (
        *("media", "name", "order", "width", "height", "problems", "hash", "suggested_crop", "crop", "caption"),
        *("rights", "rights_note", "people", "stated_by", "stated"),
    )
    copy = TrainingPicture(training=training, **{name: getattr(picture, name) for name in names})
    if picture.file.name:
        with picture.file.open("rb") as opened:
            copy.file.save(picture.file.name, ContentFile(opened.read()), save=False)
    copy.save(force_insert=True)


def _next_version(training: Training) -> int:
    """One more than the latest of its line."""
    first = training
    while first.previous is not None:
        first = first.previous
    line, latest = [first.pk], first.version
    while line:
        rows = list(Training.objects.filter(previous__in=line).values_list("pk", "version"))
        line = [pk for pk, _version in rows]
        latest = max([latest, *(version for _pk, version in rows)])
    return latest + 1


@transaction.atomic
def delete_training(*, user: User, training: Training) -> None:
    """Removes it with its pictures and files. Refused while it is under way, or has taught an adapter that is there."""
    training = _locked(user, training)
    if training.is_under_way:
        raise Refused(_("This is under way. Stop it first."))
    if Adapter.objects.filter(training=training).exists():
        raise Refused(_("An adapter comes from this, and what it has learned from must be known. Retire that instead."))
    if Checkpoint.objects.filter(training=training).exists():
        raise Refused(_("A model comes from this, and what it has learned from must be known. Retire that instead."))
    training.delete()


def _locked(user: User, training: Training) -> Training:
    if not Training.objects.changeable_by(user).filter(pk=training.pk).exists():
        raise PermissionDenied
    related = Training.objects.select_related("checkpoint", "team", "owner", "job")
    return related.select_for_update(of=("self",)).get(pk=training.pk)
