"""Jobs as the Create page shows them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from gallery.models import Media
from gallery.views.tiles import Tile, tiles
from generator import events
from generator.formats import FORMATS, Format
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
        return FORMATS[self.generation.format]

    @property
    def ratio(self) -> str:
        """Width over height of each picture, for a style sheet."""
        return f"{self.generation.width / self.generation.height:.4f}"

    @property
    def settings(self) -> str:
        """The fragment that fills the composer with these settings."""
        return as_fragment(self.generation)

    @property
    def is_emerging(self) -> bool:
        """Whether its pictures have their places already: it runs, or it is about to."""
        if self.job.state == State.RUNNING:
            return True
        return self.job.state == State.QUEUED and self.now["position"] == 0 and self.now["eta"] is not None

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


def cards(jobs: Iterable[Job], viewer: User) -> list[Card]:
    """`jobs` in their order (read with select_related(*RELATED)), with their pictures read all at once."""
    jobs = list(jobs)
    ids = [job.pk for job in jobs]
    changeable = set(Job.objects.changeable_by(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    pictures: dict[UUID, list[Tile]] = defaultdict(list)
    kept = Media.objects.visible_to(viewer).kept().filter(job__in=[job.pk for job in jobs if job.state == State.DONE])
    for tile in tiles(kept.order_by("index"), viewer):
        pictures[tile.media.job].append(tile)
    return [
        Card(
            job=job,
            tiles=pictures[job.pk],
            is_changeable=job.pk in changeable,
            now=None if job.is_finished else events.snapshot(job),
        )
        for job in jobs
    ]
