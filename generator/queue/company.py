"""Jobs that run together: others like the one that a worker has just claimed, in one call of its engine.

A follower is claimed as warm work is: in turn, past those whose turn comes before only while none of them was passed
over as often or as long as any job may be, and it counts against that bound. It pays its own cost. So nobody is served
more or less than without company; only the workers get through sooner.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from generator.models import Job, State, Worker
from generator.queue.capabilities import ability_of

ALONE = 1  # Job.company of one that must not run with others: a run of several was lost with it


@dataclass(frozen=True)
class Like:
    """What a follower must be: `pictures` at most, and of the same urgency as well."""

    alike: str
    urgency: int
    pictures: int


def may_lead(job: Job, *, worker: str) -> bool:
    """Whether others may join `job`: not one that is to run alone, nor while another worker has nothing to do."""
    if not job.alike or job.company == ALONE:
        return False
    busy = Job.objects.filter(state=State.RUNNING, worker=OuterRef("pk"))
    idle = Worker.objects.alive().filter(~Exists(busy), is_paused=False).exclude(pk=worker)
    return not any(ability_of(one).can_run(job) for one in idle)


def note_company(jobs: list[Job]) -> None:
    """Writes down how many run together, so that none is blamed if all of them are lost."""
    if len(jobs) > 1:
        running = Job.objects.filter(state=State.RUNNING, lease__in=[job.lease for job in jobs])
        running.update(company=len(jobs))
        for job in jobs:
            job.company = len(jobs)
