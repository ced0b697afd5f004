"""A job and its state machine. Every arrow is one conditional UPDATE, here and nowhere else."""

import logging
import uuid
from collections import Counter
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action
from gallery.models import Media
from generator import trail
from generator.models.batch import Batch
from generator.models.plain import update
from generator.models.queue import QueueAccount, QueueLane

log = logging.getLogger(__name__)


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


MOST_LINES = 200  # of a history: a training comes and goes for days
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
        """Own jobs, and those of a team's members unless their pictures are to be private. Imports of models are the
        admin's; trainings have pages of their own (Training.objects)."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        teams = Team.objects.pks_where(user, Action.VIEW)
        shared = Q(team__in=teams) & ~Q(visibility=Media.Visibility.PRIVATE)
        return self.filter(Q(owner=user, team__in=teams) | shared).of_pictures()

    def watchable_by(self, user) -> "JobQuerySet":
        """What `user` may follow as it runs: `visible_to`, and the trainings of their teams."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        trained = Q(kind=Job.Kind.TRAIN, team__in=Team.objects.pks_where(user, Action.VIEW))
        return self.filter(trained | Q(pk__in=Job.objects.visible_to(user).values("pk")))

    def of_pictures(self) -> "JobQuerySet":
        """Those that make pictures, with a row of what they are to be."""
        return self.exclude(kind__in=[Job.Kind.IMPORT, Job.Kind.TRAIN])

    def changeable_by(self, user) -> "JobQuerySet":
        """Those `user` may cancel and retry: own ones, and everybody's where the role manages jobs."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = Q(owner=user, team__in=Team.objects.pks_where(user, Action.CREATE))
        managed = Q(team__in=Team.objects.pks_where(user, Action.MANAGE_JOBS))
        return self.filter(own | managed & ~Q(visibility=Media.Visibility.PRIVATE))

    def in_line_with(self, job: "Job") -> "JobQuerySet":
        """What waits or rests of the same person, team and urgency, in its order; `job` is among them while it does."""
        waiting = self.filter(state__in=[State.QUEUED, State.PAUSED], account=job.account_id, urgency=job.urgency)
        return waiting.order_by("position", "pk")

    def move_all(self, to: State) -> list["Job"]:
        """Takes every job of this set along its arrow to `to`, as `Job.move` does, in a few statements however many.

        What runs, has ended or is there already stays as it is. Returns what was moved, in the order of the line. To be
        called within a transaction: it locks the jobs, so that each is still where it was read.
        """
        able = [state for state in (State.QUEUED, State.PAUSED) if to in ARROWS[state]]
        jobs = list(self.filter(state__in=able).select_for_update().order_by("position", "pk"))
        lanes = Counter(tuple(job.lane.items()) for job in jobs if State.QUEUED in (job.state, to))
        fields: dict[str, Any] = {"state": to, "reason": "", "pause_requested": False}
        if to in FINISHED:
            fields["finished"] = timezone.now()
        for job in jobs:
            was, job.history = job.state, [*job.history, job._line(to, fields)]
            job.version += 1
            for name, value in fields.items():
                setattr(job, name, value)
            log.info("job %s went from %s to %s", job.pk, was, to, extra=job.marks)
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(version=F("version") + 1, **fields)
        Job.objects.bulk_update(jobs, ["history"], batch_size=100)
        for lane, count in sorted(lanes.items()):
            QueueLane.objects.count_waiting(count if to == State.QUEUED else -count, **dict(lane))
        return jobs

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
        TRAIN = "train", _("Training")
        VIDEO = "video", _("Clips")
        LIGHT = "light", _("Without a model")
        IMPORT = "import", _("Import of a model")

    class Urgency(models.IntegerChoices):
        """How soon somebody wants it; the shares of each are in settings.QUEUE_SHARES."""

        INTERACTIVE = 0, _("Somebody watches")
        BATCH = 1, _("Batch")
        TRAINING = 2, _("Training")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.IMAGE)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    team = models.ForeignKey(Team, models.CASCADE, related_name="jobs", verbose_name=_("team"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs", verbose_name=_("asked by"))
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Media.Visibility, default=Media.Visibility.TEAM
    )

    batch = models.ForeignKey(
        Batch, models.CASCADE, null=True, blank=True, related_name="jobs", verbose_name=_("batch")
    )

    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency, default=Urgency.INTERACTIVE)
    account = models.ForeignKey(QueueAccount, models.PROTECT, related_name="jobs")
    position = models.BigIntegerField(default=0, editable=False)  # order within an account; smaller first
    cost = models.FloatField(_("cost"), default=0.0)  # seconds of a worker, as expected when it was asked for
    charged = models.FloatField(default=0.0, editable=False)  # at the claim its cost, afterwards what was served of it
    passed = models.PositiveSmallIntegerField(default=0, editable=False)  # claims that took a warm job in its turn
    passed_since = models.DateTimeField(null=True, blank=True, editable=False)

    # What a worker must have to run it, copied from the model so that a claim needs no join.
    family = models.CharField(_("model family"), max_length=40, blank=True)  # empty: needs none
    memory = models.PositiveIntegerField(_("memory (MiB)"), default=0)
    loads = models.CharField(max_length=120, blank=True, editable=False)  # the model that makes a worker warm for it
    alike = models.CharField(max_length=32, blank=True, editable=False)  # jobs with the same can run together
    company = models.PositiveSmallIntegerField(default=0, editable=False)  # run together; 1: only alone from now on

    steps = models.PositiveSmallIntegerField(_("steps"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # how often a worker was lost with it
    forgiven = models.PositiveSmallIntegerField(default=0, editable=False)  # attempts that got a training further
    retries = models.PositiveSmallIntegerField(_("retries"), default=0)  # how often a passing trouble stopped it
    version = models.PositiveIntegerField(default=0, editable=False)  # counts transitions; orders events, see events.py
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)  # the pause before another attempt
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires = models.DateTimeField(null=True, blank=True, editable=False)
    worker = models.CharField(_("worker"), max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False, editable=False)
    pause_requested = models.BooleanField(default=False, editable=False)
    reason = models.TextField(_("reason"), blank=True)  # for the person who asked, in plain words
    trace = models.TextField(_("traceback"), blank=True)  # for administrators
    log = models.TextField(_("log"), blank=True)  # the last lines that its worker wrote, when it failed
    quarantined = models.BooleanField(_("quarantined"), default=False)  # it takes workers down: no automatic attempts
    history = models.JSONField(default=list, blank=True, editable=False)  # one line a transition, see Job.move
    request = models.CharField(
        max_length=trail.REQUEST_LENGTH, blank=True, default=trail.current_request, editable=False
    )

    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    first_step = models.DateTimeField(_("first step"), null=True, blank=True)
    decoded = models.DateTimeField(_("decoded"), null=True, blank=True)
    stored = models.DateTimeField(_("stored"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    timings = models.JSONField(default=dict, blank=True, editable=False)  # seconds the engine spent on what
    hidden = models.BooleanField(default=False, editable=False)  # taken off its owner's Create page

    outlook: Any = None  # queue.Outlook, once somebody has asked for it in this request

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["account", "position"], name="job_waiting", condition=Q(state="queued")),
            models.Index(fields=["account", "loads", "position"], name="job_waiting_warm", condition=Q(state="queued")),
            models.Index(
                fields=["account", "alike", "position"], name="job_waiting_alike", condition=Q(state="queued")
            ),
            models.Index(fields=["lease_expires"], name="job_running", condition=Q(state="running")),
            models.Index(fields=["owner", "-created"], name="job_of_owner"),
            models.Index(fields=["team", "-created"], name="job_of_team"),
            models.Index(fields=["finished"], name="job_ended", condition=Q(finished__isnull=False)),
            models.Index(fields=["finished"], name="job_quarantined", condition=Q(quarantined=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_state_display()} · {self.id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("generator:job", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    @property
    def marks(self) -> dict[str, str]:
        """What a line of the log about it carries."""
        return {"job_id": str(self.pk), "request_id": self.request}

    @property
    def lane(self) -> dict[str, Any]:
        """What names its QueueLane."""
        return {name: getattr(self, name) for name in ("account_id", "kind", "family", "memory", "loads")}

    def move(
        self, to: State, *, was_lease: uuid.UUID | None = None, served: float | None = None, **fields: Any
    ) -> bool:
        """Takes the arrow from the state this object was read in to `to`; False when somebody else was faster.

        A worker names the lease it holds as `was_lease`, and loses the right to any arrow with it. `served` is how much
        of the cost was worth a share of the workers when it leaves RUNNING: all when DONE, else nothing unless said.
        `fields` (plain values) are written along. ValueError for an arrow that does not exist.
        """
        was = State(self.state)
        if to not in ARROWS[was]:
            raise ValueError(f"a job cannot go from {self.state} to {to}")
        if to in FINISHED:
            fields.setdefault("finished", timezone.now())
        if to == State.RUNNING:
            fields["charged"] = self.cost
        else:
            fields.update(lease=None, lease_expires=None, pause_requested=False)
        if was == State.RUNNING:
            if self.company > 1 and to in (State.QUEUED, State.PAUSED):
                fields.setdefault("company", 0)
            fields["charged"] = served if served is not None else self.charged if to == State.DONE else 0.0
        fields.setdefault("reason", "")  # why it failed or waits is true of one state only
        fields["history"] = [*self.history, self._line(to, fields)][-MOST_LINES:]
        where = {"id": self.pk, "state": was, "version": self.version}
        if was_lease is not None:
            where["lease"] = was_lease
        fields |= {"state": to, "version": self.version + 1}
        with transaction.atomic(savepoint=False):
            if not update(Job, where, fields):
                return False
            if was == State.RUNNING and (unserved := self.charged - fields["charged"]):
                QueueAccount.objects.get(pk=self.account_id).give_back(unserved)
            if State.QUEUED in (was, to):
                QueueLane.objects.count_waiting(1 if to == State.QUEUED else -1, **self.lane)
        for name, value in fields.items():
            setattr(self, name, value)
        log.info("job %s went from %s to %s", self.pk, was, to, extra=self.marks)
        return True

    def _line(self, to: State, fields: dict[str, Any]) -> dict[str, str]:
        """One line of the history: what happened when, where, and why if anybody said."""
        line = {"to": str(to), "at": timezone.now().isoformat(timespec="milliseconds")}
        for name in ("worker", "reason"):
            if value := fields.get(name, self.worker if name == "worker" and self.state == State.RUNNING else ""):
                line[name] = str(value)
        return line
