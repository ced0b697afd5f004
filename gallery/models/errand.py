"""Work that somebody waits for and that needs no model: an export, a file that was uploaded. The row is the queue."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(seconds=120)  # a worker says that it lives after every file, and none takes nearly as long
ATTEMPTS = 3  # how many workers may be lost with one errand before it counts as the reason


class State(models.TextChoices):
    """How far it is."""

    RECEIVING = "receiving", _("Being sent")
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being prepared")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class ErrandQuerySet(models.QuerySet):
    """Errands as workers look at them."""

    def waiting(self) -> Self:
        """Those that a worker may take: in line, or left behind by one that was lost."""
        lost = Q(state=State.RUNNING, seen__lt=timezone.now() - LEASE)
        return self.filter(Q(state=State.QUEUED) | lost).order_by("queued", "pk")

    def unfinished(self) -> Self:
        """Those that somebody still waits for."""
        return self.filter(state__in=[State.QUEUED, State.RUNNING])

    def claim(self) -> Any:
        """The oldest row that waits, now this caller's alone; None when nothing does."""
        while (found := self.waiting().first()) is not None:
            now = timezone.now()
            taken = {"state": State.RUNNING, "lease": uuid.uuid4(), "seen": now, "attempts": F("attempts") + 1}
            if self.filter(pk=found.pk, state=found.state, lease=found.lease).update(**taken):
                found.refresh_from_db()
                return found
        return None


class Errand(models.Model):
    """What every kind has. Whoever claims it draws a new lease; all later writes ask for that lease."""

    State = State

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, editable=False)
    queued = models.DateTimeField(default=timezone.now, editable=False)
    seen = models.DateTimeField(null=True, editable=False)
    lease = models.UUIDField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    reason = models.TextField(_("what went wrong"), blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in (State.DONE, State.FAILED)

    @property
    def is_hopeless(self) -> bool:
        """Whether it has cost too many workers."""
        return self.attempts > ATTEMPTS

    def hold(self, **fields: object) -> bool:
        """Writes down `fields` and that the worker lives. False when the lease is another's by now."""
        rows = type(self).objects.filter(pk=self.pk, lease=self.lease, state=State.RUNNING)
        return bool(rows.update(seen=timezone.now(), **fields))

    def end(self, state: State, **fields: object) -> bool:
        """The last write: DONE or FAILED. False when the lease is another's by now."""
        if not self.hold(state=state, **fields):
            return False
        self.refresh_from_db()
        return True
