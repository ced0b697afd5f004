"""What browsers are told about jobs (the websocket contract, docs/api.md).

Every event has `type`, `job`, `attempt` and `seq`; clients drop one that is older than the last they saw. `seq` grows
with the row: its count of transitions in the upper bits, in the lower the worker's count of progress events since.
"""

from collections.abc import Iterable
from time import monotonic
from typing import Any, TypedDict
from uuid import UUID

from accounts.live import publish, team_group, user_group
from gallery.models import Media
from generator import outside, previews, queue
from generator.models import Batch, Job, State

PROGRESS_BITS = 20
LINE = "queue"  # the group of every queue page: something entered the line, or left it; nothing is said of what
TEAM_INTERVAL = 1.0  # seconds between two steps of one job that a team's queue pages are told of

BATCH_INTERVAL = 1.0  # seconds between two events of one batch, from one process

_team_told: dict[UUID, float] = {}  # when that was last, for jobs that run in this process
_batch_told: dict[UUID, float] = {}


class Event(TypedDict, total=False):
    """One message to a browser; which keys it has depends on `type`."""

    type: str
    job: str
    batch: str
    attempt: int
    seq: int
    state: str
    step: int
    steps: int
    position: int | None
    eta: float | None
    eta_range: list[float] | None
    blocked: str
    previews: list[dict[str, Any]]
    media: list[str]
    reason: str
    loss: float


def job_group(job_id: UUID | str) -> str:
    """Those who watch one job."""
    return f"job.{job_id}"


def line_group(team_id: UUID | str) -> str:
    """Queue pages that show the jobs of one team."""
    return f"queue.{team_id}"


def sequence(job: Job, progress: int = 0) -> int:
    """The place of an event among all of its job."""
    return (job.version << PROGRESS_BITS) + progress


def _event(job: Job, kind: str, **body: Any) -> Event:
    if job.batch_id:
        body["batch"] = str(job.batch_id)
    return Event(type=kind, job=str(job.pk), attempt=job.attempts, seq=sequence(job), **body)


def _tell(job: Job, event: Event) -> None:
    groups = [job_group(job.pk)]
    if job.kind != Job.Kind.TRAIN:  # pages that show pictures coming know nothing of trainings; theirs watch the job
        groups.append(user_group(job.owner_id))
    publish(groups, dict(event))


def snapshots(jobs: Iterable[Job]) -> list[Event]:
    """The snapshot of each; the queue is read once for all of them."""
    jobs = list(jobs)
    waiting = [job for job in jobs if job.state == State.QUEUED and job.outlook is None]
    told = queue.outlooks_lately(waiting)
    for job in waiting:
        job.outlook = told[job.pk]
    return [snapshot(job) for job in jobs]


def snapshot(job: Job) -> Event:
    """All that a page must know to show `job` as it is at this moment."""
    event = _event(job, "job.snapshot", state=job.state, step=0, steps=job.steps, position=None, eta=None)
    event.update(previews=[], media=[], reason=job.reason)
    if job.state == State.QUEUED:
        event.update(_place(job.outlook or queue.outlooks_lately([job])[job.pk]))
    elif job.state == State.RUNNING:
        live = previews.read_live(job.pk)
        if live and live["seq"] >= event["seq"]:
            event.update(seq=live["seq"], step=live["step"], eta=live["eta"], **_loss(live))
            event["previews"] = previews.urls(job.pk, live["count"], live["step"])
    elif job.state == State.DONE:
        event.update(step=job.steps, media=_media(job))
    return event


def _loss(live: previews.Live) -> dict[str, float]:
    loss = live.get("loss")
    return {} if loss is None else {"loss": loss}


def _media(job: Job) -> list[str]:
    return [str(pk) for pk in Media.objects.kept().filter(job=job.pk).order_by("index").values_list("pk", flat=True)]


def _place(outlook: queue.Outlook) -> dict[str, Any]:
    """The keys that say when a waiting job starts. `eta` is the middle of `eta_range`."""
    eta = None if outlook.middle is None else round(outlook.middle, 1)
    return {"position": outlook.position, "eta": eta, "eta_range": outlook.range, "blocked": outlook.blocked}


def tell_queued(job: Job) -> None:
    """A job has entered the line, for the first time or again."""
    job.outlook = queue.outlook(job)  # the answer to this request shows the same
    _tell(job, _event(job, "job.queued", **_place(job.outlook), reason=job.reason))
    _tell_line()
    _tell_batch_of(job)


def tell_progress(job: Job, live: previews.Live) -> None:
    """A step was finished; its previews are in the cache already."""
    event = _event(job, "job.progress", step=live["step"], steps=live["steps"], eta=live["eta"], **_loss(live))
    event.update(seq=live["seq"], previews=previews.urls(job.pk, live["count"], live["step"]))
    _tell(job, event)
    if job.visibility != Media.Visibility.PRIVATE:
        _tell_team(job, event)


def _tell_team(job: Job, event: Event) -> None:
    """The same without pictures for the team's queue pages, seldom enough that many of them cost little."""
    if monotonic() - _team_told.get(job.pk, -TEAM_INTERVAL) < TEAM_INTERVAL:
        return
    _team_told[job.pk] = monotonic()
    publish([line_group(job.team_id)], {**event, "type": "queue.progress", "previews": []})


def tell_ended(job: Job) -> None:
    """A job is done, failed, cancelled or paused; its row says which."""
    body: dict[str, Any] = {}
    if job.state == State.DONE:
        body["media"] = _media(job)
        if job.visibility != Media.Visibility.PRIVATE:
            added = {"type": "media.added", "media": body["media"], "job": str(job.pk), "team": str(job.team_id)}
            publish([team_group(job.team_id)], added)
    elif job.state == State.FAILED:
        body["reason"] = job.reason
    _tell(job, _event(job, f"job.{job.state}", **body))
    outside.tell_end(job)
    _team_told.pop(job.pk, None)
    _tell_line()
    _tell_batch_of(job)


def tell_batch(batch: Batch) -> None:
    """Much of a batch has changed at once, or all of it has ended. Little is said of what: pages ask."""
    _batch_told[batch.pk] = monotonic()
    event = {"type": "batch.changed", "batch": str(batch.pk)}
    if not batch.jobs.filter(visibility=Media.Visibility.PRIVATE).exists():
        publish([team_group(batch.team_id)], event)
    publish([user_group(batch.owner_id)], {**event, "ended": not batch.jobs.unfinished().exists()})
    _tell_line()


def _tell_batch_of(job: Job) -> None:
    """Its batch goes on: told seldom enough that hundreds of quick jobs cost little, and always at the end."""
    if job.batch is None:
        return
    if monotonic() - _batch_told.get(job.batch.pk, -BATCH_INTERVAL) >= BATCH_INTERVAL:
        tell_batch(job.batch)
    elif not job.batch.jobs.unfinished().exists():
        tell_batch(job.batch)
        _batch_told.pop(job.batch.pk)


def _tell_line() -> None:
    publish([LINE], {"type": "queue.moved"})


def tell_queue_changed(people: Iterable[int]) -> None:
    """Something was held or released: sockets of these people send the snapshots of their jobs again."""
    publish([user_group(pk) for pk in people], {"type": "queue.changed"})
    _tell_line()
