"""What browsers are told about jobs (the websocket contract, docs/api.md).

Every event has `type`, `job`, `attempt` and `seq`; clients drop one that is older than the last they saw. `seq` grows
with the row: its count of transitions in the upper bits, in the lower the worker's count of progress events since.
"""

from typing import Any, TypedDict
from uuid import UUID

from accounts.live import publish, team_group, user_group
from gallery.models import Media
from generator import previews, queue
from generator.models import Job, State

PROGRESS_BITS = 20


class Event(TypedDict, total=False):
    """One message to a browser; which keys it has depends on `type`."""

    type: str
    job: str
    attempt: int
    seq: int
    state: str
    step: int
    steps: int
    position: int | None
    eta: float | None
    previews: list[dict[str, Any]]
    media: list[str]
    reason: str
    loss: float


def job_group(job_id: UUID | str) -> str:
    """Those who watch one job."""
    return f"job.{job_id}"


def sequence(job: Job, progress: int = 0) -> int:
    """The place of an event among all of its job."""
    return (job.version << PROGRESS_BITS) + progress


def _event(job: Job, kind: str, **body: Any) -> Event:
    return Event(type=kind, job=str(job.pk), attempt=job.attempts, seq=sequence(job), **body)


def _tell(job: Job, event: Event) -> None:
    publish([job_group(job.pk), user_group(job.owner_id)], dict(event))


def snapshot(job: Job) -> Event:
    """All that a page must know to show `job` as it is at this moment."""
    event = _event(job, "job.snapshot", state=job.state, step=0, steps=job.steps, position=None, eta=None)
    event.update(previews=[], media=[], reason=job.reason)
    if job.state == State.QUEUED:
        event["position"], event["eta"] = queue.outlook(job)
    elif job.state == State.RUNNING:
        live = previews.read_live(job.pk)
        if live and live["seq"] >= event["seq"]:
            event.update(seq=live["seq"], step=live["step"], eta=live["eta"])
            event["previews"] = previews.urls(job.pk, live["count"], live["step"])
    elif job.state == State.DONE:
        event.update(step=job.steps, media=_media(job))
    return event


def _media(job: Job) -> list[str]:
    return [str(pk) for pk in Media.objects.kept().filter(job=job.pk).order_by("index").values_list("pk", flat=True)]


def tell_queued(job: Job) -> None:
    """A job has entered the line, for the first time or again."""
    position, eta = queue.outlook(job)
    _tell(job, _event(job, "job.queued", position=position, eta=eta))


def tell_progress(job: Job, live: previews.Live) -> None:
    """A step was finished; its previews are in the cache already."""
    event = _event(job, "job.progress", step=live["step"], steps=live["steps"], eta=live["eta"])
    event.update(seq=live["seq"], previews=previews.urls(job.pk, live["count"], live["step"]))
    _tell(job, event)


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
