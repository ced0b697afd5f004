"""Batches as pages show them: one card each, however many jobs they have."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Max

from accounts.models import User
from gallery.models import Media
from gallery.views.tiles import Tile, tiles
from generator.models import FINISHED, Batch, Job, State

THUMBNAILS = 8


@dataclass(frozen=True)
class BatchCard:
    """One batch with how far it is, and its newest pictures."""

    batch: Batch
    counts: dict[str, int]  # jobs by state; those that were tried anew are counted once
    version: str  # changes with whatever the card shows
    tiles: list[Tile]
    is_changeable: bool
    is_own: bool

    @property
    def total(self) -> int:
        """How many jobs."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """How many of them have ended."""
        return sum(self.counts[state] for state in FINISHED)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.ended == self.total

    @property
    def is_paused(self) -> bool:
        """Whether nothing goes on until somebody resumes it."""
        return bool(self.counts[State.PAUSED]) and not (self.counts[State.QUEUED] or self.counts[State.RUNNING])

    @property
    def parts(self) -> list[tuple[str, int, float]]:
        """(state, jobs, percent of all) in the order of the bar."""
        order = (State.DONE, State.FAILED, State.CANCELLED, State.RUNNING, State.PAUSED, State.QUEUED)
        total = max(1, self.total)
        return [(str(state), self.counts[state], 100 * self.counts[state] / total) for state in order]


def batch_cards(batches: Iterable[Batch], viewer: User) -> list[BatchCard]:
    """`batches` in their order, for somebody who may see them: a few queries however many they are."""
    batches = list(batches)
    ids = [batch.pk for batch in batches]
    counts: dict[UUID, dict[str, int]] = {pk: dict.fromkeys(State.values, 0) for pk in ids}
    versions: dict[UUID, int] = defaultdict(int)
    jobs = Job.objects.filter(batch__in=ids, hidden=False).order_by().values("batch", "state")
    for row in jobs.annotate(n=Count("pk"), newest=Max("version")):
        counts[row["batch"]][row["state"]] = row["n"]
        versions[row["batch"]] += row["newest"]
    changeable = set(Batch.objects.changeable_by(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    return [
        BatchCard(
            batch=batch,
            counts=counts[batch.pk],
            version="-".join(str(n) for n in (*counts[batch.pk].values(), versions[batch.pk])),
            tiles=_newest(batch, viewer) if counts[batch.pk][State.DONE] else [],
            is_changeable=batch.pk in changeable,
            is_own=batch.owner_id == viewer.pk,
        )
        for batch in batches
    ]


def _newest(batch: Batch, viewer: User) -> list[Tile]:
    jobs = batch.jobs.filter(state=State.DONE).order_by("-finished").values_list("pk", flat=True)[:THUMBNAILS]
    pictures = Media.objects.visible_to(viewer).kept().filter(job__in=list(jobs)).order_by("-created", "index")
    return tiles(pictures[:THUMBNAILS], viewer)
