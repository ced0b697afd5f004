"""A job and its state machine. Every arrow is one conditional UPDATE, here and nowhere else."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action
from gallery.models import Media
from generator.models.queue import QueueAccount


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


FINISHED = frozenset({State.DONE, State.FAILED, State.CANCELLED})
ARROWS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.PAUSED, State.CANCELLED, State.FAILED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.QUEUED, State.PAUSED}),
    State.PAUSED: frozenset({State.QUEUED, State.CANCELLED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs as somebody may see or change them, and by their state."""

    def visible_to(self, user) -> "JobQuerySet":
        """Own jobs, and those of a team's members unless their pictures are to be private."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        teams = Team.objects.where(user, Action.VIEW).values("pk")
        shared = Q(team__in=teams) & ~Q(visibility=Media.Visibility.PRIVATE)
        return self.filter(Q(owner=user, team__in=teams) | shared)

    def changeable_by(self, user) -> "JobQuerySet":
        """Those `user` may cancel and retry: own ones, and everybody's where the role manages jobs."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = Q(owner=user, team__in=Team.objects.where(user, Action.CREATE).values("pk"))
        managed = Q(team__in=Team.objects.where(user, Action.MANAGE_JOBS).values("pk"))
        return self.filter(own | managed & ~Q(visibility=Media.Visibility.PRIVATE))

    def unfinished(self) -> "JobQuerySet":
        """Those that still have something to happen."""
        return self.exclude(state__in=FINISHED)

    def holding(self, lease: uuid.UUID) -> "JobQuerySet":
        """The job that a worker still owns by `lease`; empty once the lease was lost."""
        return self.filter(state=State.RUNNING, lease=lease)


class Job(models.Model):
    """One request for compute. What exactly is to be made stands in the row that belongs to its kind (Generation)."""

    class Kind(models.TextChoices):
        """Which row holds the particulars, and which workers take it."""

        IMAGE = "image", _("Pictures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.IMAGE)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    team = models.ForeignKey(Team, models.CASCADE, related_name="jobs", verbose_name=_("team"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs", verbose_name=_("asked by"))
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Media.Visibility, default=Media.Visibility.TEAM
    )

    account = models.ForeignKey(QueueAccount, models.PROTECT, related_name="jobs")
    priority = models.SmallIntegerField(_("priority"), default=0)
    position = models.BigIntegerField(default=0, editable=False)  # order within an account and priority; smaller first
    cost = models.FloatField(_("cost"), default=0.0)  # megapixels × steps × pictures

    steps = models.PositiveSmallIntegerField(_("steps"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # how often a worker was lost with it
    version = models.PositiveIntegerField(default=0, editable=False)  # counts transitions; orders events, see events.py
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires = models.DateTimeField(null=True, blank=True, editable=False)
    worker = models.CharField(_("worker"), max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False, editable=False)
    reason = models.TextField(_("reason"), blank=True)  # for the person who asked, in plain words
    trace = models.TextField(_("traceback"), blank=True)  # for administrators

    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    first_step = models.DateTimeField(_("first step"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    timings = models.JSONField(default=dict, blank=True, editable=False)  # seconds the engine spent on what
    hidden = models.BooleanField(default=False, editable=False)  # taken off its owner's Create page

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["account", "-priority", "position"], name="job_waiting", condition=Q(state="queued")),
            models.Index(fields=["lease_expires"], name="job_running", condition=Q(state="running")),
            models.Index(fields=["owner", "-created"], name="job_of_owner"),
            models.Index(fields=["team", "-created"], name="job_of_team"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_state_display()} · {self.id}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    def move(self, to: State, *, was_lease: uuid.UUID | None = None, **fields: Any) -> bool:
        """Takes the arrow from the state this object was read in to `to`; False when somebody else was faster.

        A worker names the lease it holds as `was_lease`, and loses the right to any arrow with it. `fields` are written
        along. ValueError for an arrow that does not exist.
        """
        if to not in ARROWS[State(self.state)]:
            raise ValueError(f"a job cannot go from {self.state} to {to}")
        if to in FINISHED:
            fields.setdefault("finished", timezone.now())
        if to != State.RUNNING:
            fields.update(lease=None, lease_expires=None)
        row = Job.objects.filter(pk=self.pk, state=self.state)
        if was_lease is not None:
            row = row.filter(lease=was_lease)
        if not row.update(state=to, version=F("version") + 1, **fields):
            return False
        self.refresh_from_db()
        return True
