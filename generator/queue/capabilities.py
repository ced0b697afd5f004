"""What a worker can run, as it announced itself. An empty list, or no memory, means that it has not said: anything."""

from dataclasses import dataclass
from typing import Protocol

from generator.models import Job, Worker


class Needs(Protocol):
    """What a job asks of a worker."""

    kind: str
    family: str
    memory: int


@dataclass(frozen=True)
class Ability:
    """One worker, as far as the queue must know it."""

    kinds: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    memory: int = 0  # MiB of the device; what is loaded can be dropped, so that the free part does not matter
    warm: tuple[str, ...] = ()  # Job.loads of what is loaded
    is_paused: bool = False

    def can_run(self, job: Needs) -> bool:
        """Whether it can run this one. Claims ask the database the same (turns.py)."""
        return (
            (not self.kinds or job.kind in self.kinds)
            and (not self.families or job.family in ("", *self.families))
            and (not self.memory or job.memory <= self.memory)
        )


def ability_of(worker: Worker) -> Ability:
    """What a worker's row says."""
    return Ability(
        tuple(worker.kinds), tuple(worker.families), worker.memory, tuple(worker.loaded), is_paused=worker.is_paused
    )


def capable_workers(job: Job) -> list[Worker]:
    """The living workers that can run `job`, paused ones among them. None: it waits until somebody starts another."""
    return [worker for worker in Worker.objects.alive() if ability_of(worker).can_run(job)]
