"""Many jobs as one: asking for them, and what happens to all of them together."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Unpack
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import services as people
from accounts.models import Team, User
from generator import events, previews, queue
from generator.batches.matrix import MOST
from generator.models import Batch, Generation, Job, State, Training, Worker
from generator.services.creating import Refused, Settings, enter, prepare
from generator.services.prompts import remember_prompt

MOST_OF_A_JOB = 8  # pictures
SEEDS = 2**32
LEAST_OFF = 0.2  # by what part an estimate is off even where all was measured often


@dataclass(frozen=True)
class BatchEstimate:
    """What a batch would cost.

    `time` is seconds until its end: alone on the workers, and behind all that waits already; None without a worker.
    """

    prompts: int
    pictures: int
    time: tuple[float, float] | None
    left_today: int

    @property
    def is_affordable(self) -> bool:
        """Whether the quota suffices."""
        return self.pictures <= self.left_today


def prepare_row(**settings: Unpack[Settings]) -> list[Generation]:
    """One row of a batch as `prepare` makes it, in as many requests as its pictures need: seeds go on through all."""
    count = settings.get("count") or 1
    if count <= MOST_OF_A_JOB:
        return [prepare(**settings)]
    seed = settings.get("seed")
    first = secrets.randbelow(SEEDS - count) if seed is None else seed
    parts = []
    for at in range(0, count, MOST_OF_A_JOB):
        part = settings.copy()
        part["count"], part["seed"] = min(MOST_OF_A_JOB, count - at), (first + at) % SEEDS
        parts.append(prepare(**part))
    return parts


def check_size(generations: Sequence[Generation]) -> None:
    """Refused for more requests than one batch takes."""
    if len(generations) > MOST:
        says = _("That is %(n)d jobs of at most %(each)d pictures each; a batch has at most %(most)d. Make it two.")
        raise Refused(says % {"n": len(generations), "each": MOST_OF_A_JOB, "most": MOST})


def estimate_batch(*, user: User, generations: Sequence[Generation]) -> BatchEstimate:
    """What prepared requests would cost `user` at this moment."""
    paces = queue.Paces.read()
    works = [paces.work(one.checkpoint.slug, one.width * one.height, one.steps, one.count) for one in generations]
    own = sum(work.seconds for work in works)
    off = max(LEAST_OFF, sum(work.seconds * work.spread for work in works) / max(own, 0.001))
    others = queue.waiting().aggregate(n=Sum("cost"))["n"] or 0.0
    workers = list(Worker.objects.alive().filter(is_paused=False))
    loaded = {slug for worker in workers for slug in worker.loaded}
    cold = sum(paces.load(slug) for slug in {one.checkpoint.slug for one in generations} - loaded)
    longest = (own * (1 + off) + others) / max(1, len(workers)) + cold
    return BatchEstimate(
        prompts=len(generations),
        pictures=sum(one.count for one in generations),
        time=(own * (1 - off / 2) / len(workers) + cold, longest) if workers else None,
        left_today=people.left_today(user),
    )


@transaction.atomic
def create_batch(
    *,
    user: User,
    team: Team,
    name: str,
    origin: str,
    generations: Sequence[Generation],
    visibility: str,
    template: str = "",
    training: Training | None = None,
    pk: UUID | None = None,
) -> Batch:
    """Puts all prepared requests in line as one batch, or none. Raises as `enter` does.

    Who may ask twice (a double click) gives the batch its `pk`; the second time raises IntegrityError.
    """
    facts = {"name": name, "origin": origin, "template": template, "training": training}
    batch = Batch(pk=pk or uuid4(), team=team, owner=user, **facts)
    batch.save(force_insert=True)
    enter(generations, user=user, team=team, visibility=visibility, batch=batch, urgency=Job.Urgency.BATCH)
    if template:
        remember_prompt(user=user, team=team, text=template, negative=generations[0].negative_prompt)
    transaction.on_commit(lambda: _announce(batch, len(generations)))
    return batch


@transaction.atomic
def retry_failed(*, user: User, batch: Batch) -> int:
    """Makes the failed ones anew in the same batch, on its owner's quota; how many. Raises as `enter` does."""
    check_changeable(user, batch)
    failed = batch.jobs.filter(state=State.FAILED, hidden=False)
    generations = list(Generation.objects.filter(job__in=failed).select_related("checkpoint", "job"))
    generations.sort(key=lambda generation: generation.job.position)
    if not generations:
        return 0
    if off := next((one.checkpoint for one in generations if not one.checkpoint.is_enabled), None):
        raise Refused(_("The model “%(name)s” is switched off. Choose another one.") % {"name": off.name})
    visibility = generations[0].job.visibility
    if failed.update(hidden=True) != len(generations):  # the new ones are to stand for them
        raise Refused(_("Somebody else tries them again in this moment. Reload the page."))
    try:
        enter(
            generations,
            user=batch.owner,
            team=batch.team,
            visibility=visibility,
            batch=batch,
            urgency=Job.Urgency.BATCH,
        )
    except PermissionDenied as error:
        raise Refused(_("%(person)s may not make pictures in this team any more.") % {"person": batch.owner}) from error
    transaction.on_commit(lambda: _announce(batch, len(generations)))
    return len(generations)


@transaction.atomic
def cancel_batch(*, user: User, batch: Batch) -> None:
    """Stops all that has not ended: what waits at once, what runs within one step."""
    check_changeable(user, batch)
    cancelled = batch.jobs.move_all(State.CANCELLED)
    running = _ask(batch, queue.Wish.CANCEL, cancel_requested=True)  # afterwards: what was claimed meanwhile as well
    counts = dict(Generation.objects.filter(job__in=cancelled).values_list("job", "count"))
    spent: dict[date, int] = defaultdict(int)
    for job in cancelled:
        spent[timezone.localdate(job.created)] += counts[job.pk]
    for day, pictures in spent.items():
        people.refund(user=batch.owner, team=batch.team, pictures=pictures, day=day)
    _tell(batch, cancelled or running)


@transaction.atomic
def pause_batch(*, user: User, batch: Batch) -> None:
    """Lets all that waits rest, and what runs at its next step."""
    check_changeable(user, batch)
    paused = batch.jobs.move_all(State.PAUSED)
    running = _ask(batch, queue.Wish.PAUSE, pause_requested=True)
    _tell(batch, paused or running)


@transaction.atomic
def resume_batch(*, user: User, batch: Batch) -> None:
    """Puts all that was paused back in its place in line."""
    check_changeable(user, batch)
    running = list(batch.jobs.filter(state=State.RUNNING, pause_requested=True))
    batch.jobs.filter(state=State.RUNNING).update(pause_requested=False)
    resumed = batch.jobs.move_all(State.QUEUED)
    transaction.on_commit(lambda: _each(running, lambda job: previews.take_back(job.pk)))
    transaction.on_commit(lambda: _announce(batch, len(resumed)))


@transaction.atomic
def move_batch(*, user: User, batch: Batch, before: Job | None) -> None:
    """Moves all that waits of a batch before another job of the same person, team and urgency; None: behind all."""
    check_changeable(user, batch)
    waiting = list(batch.jobs.filter(state__in=[State.QUEUED, State.PAUSED]).order_by("position"))
    if not waiting or not queue.move(waiting, before=before):
        raise Refused(_("Only waiting jobs can be moved, among those of the same person and team."))
    _tell(batch, waiting)


def hide_batch(*, user: User, batch: Batch) -> None:
    """Takes a batch that has ended off its owner's Create page. Its pictures stay in the gallery."""
    if batch.owner_id != user.pk:
        raise PermissionDenied
    if batch.jobs.unfinished().exists():
        raise Refused(_("Cancel this before you remove it."))
    Batch.objects.filter(pk=batch.pk).update(hidden=True)


def check_changeable(user: User, batch: Batch) -> None:
    """PermissionDenied for those who may not cancel or retry what is in `batch`."""
    if not (user.is_superuser or Batch.objects.changeable_by(user).filter(pk=batch.pk).exists()):
        raise PermissionDenied


def _ask(batch: Batch, wish: queue.Wish, **fields: bool) -> list[Job]:
    """Lets the workers of what runs know a wish."""
    running = list(batch.jobs.filter(state=State.RUNNING))
    batch.jobs.filter(state=State.RUNNING).update(**fields)
    transaction.on_commit(lambda: _each(running, lambda job: previews.ask(job.pk, wish)))
    return running


def _each(jobs: Iterable[Job], act: Callable[[Job], None]) -> None:
    for job in jobs:
        act(job)


def _tell(batch: Batch, changed: list[Job]) -> None:
    if changed:
        transaction.on_commit(lambda: events.tell_batch(batch))


def _announce(batch: Batch, jobs: int) -> None:
    queue.wake_workers(min(jobs, Worker.objects.alive().count()))
    events.tell_batch(batch)
