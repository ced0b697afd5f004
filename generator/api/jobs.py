"""Jobs: list, one with its timeline, and what can be done with it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router
from pydantic import BaseModel, Field

from accounts.api.pages import NEXT, Cursor, Limit, cut
from accounts.models import User
from accounts.prepared import Prepared
from gallery.models import Media
from generator import events, services
from generator.api.schemas import RELATED, JobOut, NowOut, SettingsOut
from generator.models import Job, State
from generator.timeline import Step, timeline

router = Router(tags=["jobs"])


class JobsOut(BaseModel):
    """A page of jobs, the newest first."""

    items: list[JobOut]
    next: str | None = Field(description=NEXT)


class PhaseOut(BaseModel):
    """A stretch of a job's life."""

    step: Step
    start: datetime
    end: datetime | None = Field(description="null while it lasts")
    attempt: int = Field(description="which attempt it belongs to, from 1; 0 before the first")
    worker: str
    reason: str = Field(description="why it ended as it did, where somebody said")


class FullJobOut(JobOut):
    """One job with all there is to know."""

    attempts: int
    settings: SettingsOut
    now: NowOut | None = Field(description="null once it has ended")
    media: list[UUID] = Field(description="its finished pictures")
    timeline: list[PhaseOut]


@router.get("/jobs", response=JobsOut, summary="Jobs")
def jobs(
    request: HttpRequest,
    state: State | None = None,
    team: UUID | None = None,
    mine: bool = False,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JobsOut:
    """Those that the caller may see: own ones, and what team-mates do not keep private. The newest first."""
    found = _visible(request.user)
    if state:
        found = found.filter(state=state)
    if team:
        found = found.filter(team=team)
    if mine:
        found = found.filter(owner=request.user)
    page, following = cut(found, "created", cursor=cursor, limit=limit)
    return JobsOut(items=[JobOut.of(job) for job in page], next=following)


@router.get("/jobs/{uuid:pk}", response=FullJobOut, summary="One job", url_name="job")
def job(request: HttpRequest, pk: UUID) -> FullJobOut:
    """What was asked for, where it stands, what became of it."""
    return full(request.user, pk)


@router.post("/jobs/{uuid:pk}/cancel", response=FullJobOut, summary="Cancel")
def cancel(request: HttpRequest, pk: UUID) -> FullJobOut:
    """At once while it waits, within one step while it runs. One that has ended stays as it is."""
    return _changed(request.user, pk, services.cancel_job)


@router.post("/jobs/{uuid:pk}/pause", response=FullJobOut, summary="Pause")
def pause(request: HttpRequest, pk: UUID) -> FullJobOut:
    """Keeps its place in line, and is passed over until it is resumed."""
    return _changed(request.user, pk, services.pause_job)


@router.post("/jobs/{uuid:pk}/resume", response=FullJobOut, summary="Resume")
def resume(request: HttpRequest, pk: UUID) -> FullJobOut:
    """Takes its turn again."""
    return _changed(request.user, pk, services.resume_job)


def _visible(user: User) -> QuerySet[Job]:
    return Job.objects.visible_to(user).select_related(*RELATED)


def _changed(user: User, pk: UUID, act: Callable[..., Job]) -> FullJobOut:
    """The job after `act`, a service. 404 for one that cannot be seen; the service says whether it may be changed."""
    act(user=user, job=get_object_or_404(_visible(user), pk=pk))
    return full(user, pk)


_ONE: Prepared[Job] = Prepared(lambda user, pk: _visible(user).filter(pk=pk), user=User, pk=UUID)
_PICTURES: Prepared[UUID] = Prepared(
    lambda user, job: (
        Media.objects.visible_to(user).kept().filter(job=job).order_by("index").values_list("pk", flat=True)
    ),
    user=User,
    job=UUID,
)


def full(user: User, pk: UUID) -> FullJobOut:
    """One job that `user` may see, with all there is to know; else 404."""
    job = _ONE.first(user=user, pk=pk)
    if job is None:
        raise Http404
    return FullJobOut.of(
        job,
        attempts=job.attempts,
        settings=SettingsOut.of(job.generation),
        now=None if job.is_finished else NowOut.of(events.snapshot(job)),
        media=_PICTURES.rows(user=user, job=pk),
        timeline=[PhaseOut(**vars(phase)) for phase in timeline(job)],
    )
