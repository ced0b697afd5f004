"""Jobs as the Create page shows them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gallery.models import Media
from gallery.views.tiles import Tile, tiles
from generator import events
from generator.formats import Format, find_format
from generator.forms import as_fragment
from generator.models import Generation, Job, State
from generator.progress import film_steps

RELATED = ("account", "generation__checkpoint", "generation__style")


@dataclass(frozen=True)
class Card:
    """One job with all that its card says. `now` is the contract's snapshot while it is unfinished."""

    job: Job
    tiles: list[Tile]
    is_changeable: bool
    now: events.Event | None

    @property
    def generation(self) -> Generation:
        """What was asked for."""
        return self.job.generation

    @property
    def format(self) -> Format:
        """The channel, with its proportions."""
        return find_format(self.generation.format)

    @property
    def ratio(self) -> str:
        """Width over height of each picture, for a style sheet."""
        return f"{self.generation.width / self.generation.height:.4f}"

    @property
    def block(self) -> str:
        """Width over height of all its pictures, two side by side, for the place that waits for them."""
        wide = min(2, self.generation.count)
        return f"{self.generation.width * wide / self.generation.height / ceil(self.generation.count / wide):.4f}"

    @property
    def settings(self) -> str:
        """The fragment that fills the composer with these settings."""
        return as_fragment(self.generation)

    @property
    def is_emerging(self) -> bool:
        """Whether its pictures have their places already: it runs, or it is about to."""
        if self.job.state == State.RUNNING:
            return True
        if self.job.state != State.QUEUED or self.now is None or self.now["blocked"] or self.retries_at:
            return False
        return self.now["position"] == 0 and self.now["eta"] is not None

    @property
    def retries_at(self) -> datetime | None:
        """When a job that met something passing is tried again; None for all others."""
        later = self.job.not_before
        return later if self.job.state == State.QUEUED and later and later > timezone.now() else None

    @property
    def previews(self) -> list[str]:
        """The newest preview of each picture, "" where there is none yet."""
        known = {preview["index"]: preview["url"] for preview in self.now["previews"]}
        return [known.get(index, "") for index in range(self.generation.count)]

    @property
    def frames(self) -> list[tuple[int, str]]:
        """(step, preview) of each frame that the first picture's filmstrip will have, "" for those still to come."""
        seen = self.now["step"]
        steps = sorted(film_steps(self.job.steps))
        return [
            (step, reverse("generator:preview", args=[self.job.pk, 0, step]) if step <= seen else "") for step in steps
        ]

    @property
    def progress(self) -> int:
        """How much is done, in percent."""
        return round(100 * self.now["step"] / max(1, self.now["steps"]))

    @property
    def film(self) -> Tile | None:
        """The first picture that tells how it emerged."""
        return next((tile for tile in self.tiles if tile.film), None)


def cards(jobs: Iterable[Job], viewer: User, *, outlooks: bool = True) -> list[Card]:
    """`jobs` in their order (read with select_related(*RELATED)), with their pictures read all at once.

    Without `outlooks` those that wait are not asked when they start, which takes a reading of the queue.
    """
    jobs = list(jobs)
    ids = [job.pk for job in jobs]
    changeable = set(Job.objects.changeable_by(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    pictures: dict[UUID, list[Tile]] = defaultdict(list)
    kept = Media.objects.visible_to(viewer).kept().filter(job__in=[job.pk for job in jobs if job.state == State.DONE])
    for tile in tiles(kept.order_by("index"), viewer):
        pictures[tile.media.job].append(tile)
    asked = [job for job in jobs if _is_told(job, outlooks)]
    now = {job.pk: told for job, told in zip(asked, events.snapshots(asked), strict=True)}
    return [
        Card(
            job=job,
            tiles=pictures[job.pk],
            is_changeable=job.pk in changeable,
            now=now.get(job.pk),
        )
        for job in jobs
    ]


def _is_told(job: Job, outlooks: bool) -> bool:
    return not job.is_finished and (outlooks or job.state == State.RUNNING)
