"""Create, cancel, retry: the only writers of jobs outside a worker. Keyword-only; PermissionDenied for strangers."""

import secrets
from dataclasses import dataclass
from time import time_ns

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import services as people
from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Media
from generator import events, previews, queue
from generator.diffusion.spec import ImageSpec, SpecError
from generator.formats import FORMATS
from generator.models import Checkpoint, Generation, Job, Prompt, State, StylePreset


class Refused(Exception):  # noqa: N818 (a decision, no malfunction)
    """The request is well formed but not granted. The message says why and what to do, for the person who asked."""


@dataclass(frozen=True)
class Estimate:
    """What a request would cost: seconds of work (None without a worker), pictures left today, jobs that wait."""

    seconds: float | None
    left_today: int | None
    waiting: int


def cost_of(*, width: int, height: int, steps: int, count: int) -> float:
    """Megapixels × steps × pictures: what the time of a job is proportional to."""
    return width * height * steps * count / 1e6


def spec_of(generation: Generation, *, checkpoint: str | None = None) -> ImageSpec:
    """What the engine is asked for: the style's words applied. Raises SpecError."""
    prompt, negative = generation.prompt, generation.negative_prompt
    if generation.style:
        prompt, negative = generation.style.apply(prompt, negative)
    return ImageSpec(
        checkpoint=checkpoint or generation.checkpoint.source,
        prompt=prompt,
        negative_prompt=negative,
        width=generation.width,
        height=generation.height,
        count=generation.count,
        steps=generation.steps,
        guidance=generation.guidance,
        seed=generation.seed,
        scheduler=generation.scheduler,
    )


@transaction.atomic
def create_generation(
    *,
    user: User,
    team: Team,
    checkpoint: Checkpoint,
    prompt: str,
    negative_prompt: str = "",
    style: StylePreset | None = None,
    format: str = "square",  # noqa: A002 (the field's own name)
    count: int = 4,
    steps: int | None = None,
    guidance: float | None = None,
    seed: int | None = None,
    scheduler: str | None = None,
    visibility: str = Media.Visibility.TEAM,
) -> Job:
    """Puts 1-8 pictures of a prompt in line. What is left out comes from the model's own defaults; a seed is drawn.

    Raises PermissionDenied when `user` may not make pictures in `team`, Refused when the quota or a policy says no.
    """
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    if not checkpoint.is_enabled:
        raise Refused(_("The model “%(name)s” is switched off. Choose another one.") % {"name": checkpoint.name})
    width, height = FORMATS[format].size(checkpoint.native_size)
    generation = Generation(
        checkpoint=checkpoint,
        prompt=prompt,
        negative_prompt=negative_prompt,
        style=style,
        format=format,
        width=width,
        height=height,
        count=count,
        steps=checkpoint.default_steps if steps is None else steps,
        guidance=checkpoint.default_guidance if guidance is None else guidance,
        seed=secrets.randbelow(2**32) if seed is None else seed,
        scheduler=checkpoint.default_scheduler if scheduler is None else scheduler,
    )
    return _submit(generation, user=user, team=team, visibility=visibility)


def _submit(generation: Generation, *, user: User, team: Team, visibility: str) -> Job:
    try:
        spec_of(generation)
    except SpecError as error:
        raise Refused(str(error)) from error
    try:
        people.charge(user=user, team=team, pictures=generation.count)
    except people.QuotaExceeded as error:
        raise Refused(str(error)) from error
    generation.job = Job.objects.create(
        team=team,
        owner=user,
        visibility=visibility,
        account=queue.open_account(team=team, user=user),
        position=time_ns() // 1000,
        steps=generation.steps,
        cost=cost_of(width=generation.width, height=generation.height, steps=generation.steps, count=generation.count),
    )
    generation.save(force_insert=True)
    _remember_prompt(user=user, team=team, text=generation.prompt, negative=generation.negative_prompt)
    transaction.on_commit(lambda: _announce(generation.job))
    return generation.job


def _announce(job: Job) -> None:
    queue.wake_workers()
    events.tell_queued(job)


def _remember_prompt(*, user: User, team: Team, text: str, negative: str) -> None:
    digest = Prompt.digest_of(text, negative)
    known = Prompt.objects.filter(user=user, team=team, digest=digest)
    if known.update(uses=F("uses") + 1, last_used=timezone.now()):
        return
    try:
        with transaction.atomic():
            Prompt.objects.create(user=user, team=team, text=text, negative=negative, digest=digest)
    except IntegrityError:  # the same text was sent twice at once
        known.update(uses=F("uses") + 1)


def cancel_job(*, user: User, job: Job) -> Job:
    """Stops a job: at once while it waits, within one step while it runs. One that has ended stays as it is."""
    _check_changeable(user, job)
    with transaction.atomic():
        if not job.is_finished and job.state != State.RUNNING and job.move(State.CANCELLED):
            refund(job)
            transaction.on_commit(lambda: events.tell_ended(job))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True):
            transaction.on_commit(lambda: previews.ask_cancel(job.pk))
    job.refresh_from_db()
    return job


def refund(job: Job) -> None:
    """Gives back what was charged for pictures that never came."""
    day = timezone.localdate(job.created)
    people.refund(user=job.owner, team=job.team, pictures=job.generation.count, day=day)


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
    return _submit(generation, user=user, team=job.team, visibility=job.visibility)


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


def estimate(*, user: User, checkpoint: Checkpoint, width: int, height: int, count: int, steps: int) -> Estimate:
    """What a request would cost `user` at this moment."""
    from generator.models import Worker

    seconds = cost_of(width=width, height=height, steps=steps, count=count) * queue.pace(checkpoint)
    return Estimate(
        seconds=seconds if Worker.objects.alive().exists() else None,
        left_today=people.left_today(user),
        waiting=queue.waiting().count(),
    )


def save_prompt(*, user: User, prompt: Prompt, saved: bool = True) -> None:
    """Keeps a prompt at the top of one's history, or lets it sink again."""
    _change_prompt(user, prompt, is_saved=saved)


def share_prompt(*, user: User, prompt: Prompt, shared: bool = True) -> None:
    """Shows a prompt to the team it was written in, or takes it back."""
    _change_prompt(user, prompt, is_shared=shared)


def _change_prompt(user: User, prompt: Prompt, **fields: bool) -> None:
    if not Prompt.objects.filter(pk=prompt.pk, user=user).update(**fields):
        raise PermissionDenied


def delete_prompt(*, user: User, prompt: Prompt) -> None:
    """Forgets a prompt of one's own."""
    if not Prompt.objects.filter(pk=prompt.pk, user=user).delete()[0]:
        raise PermissionDenied
