"""Many prompts as one request: a prompt matrix, the rows of a table, or the points of a training."""

import uuid
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team

if TYPE_CHECKING:
    from generator.models.job import JobQuerySet


class BatchQuerySet(models.QuerySet["Batch"]):
    """Batches as somebody may see or change them: as their jobs."""

    def visible_to(self, user) -> "BatchQuerySet":
        """Those with a job that `user` may see."""
        return self._with(_jobs().visible_to(user))

    def changeable_by(self, user) -> "BatchQuerySet":
        """Those with a job that `user` may cancel and retry."""
        return self._with(_jobs().changeable_by(user))

    def _with(self, jobs: "JobQuerySet") -> "BatchQuerySet":
        return self.filter(models.Exists(jobs.filter(batch=models.OuterRef("pk")).order_by()))


def _jobs() -> "JobQuerySet":
    return apps.get_model("generator.Job").objects.all()  # jobs know their batch, so they cannot be imported here


class Batch(models.Model):
    """Up to 500 jobs that were asked for together, and are watched, cancelled and tried again together."""

    class Origin(models.TextChoices):
        """Where its prompts came from."""

        MATRIX = "matrix", _("Prompt matrix")
        TABLE = "table", _("CSV file")
        COMPARISON = "comparison", _("Comparison of points")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="batches", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="batches", verbose_name=_("asked by")
    )
    name = models.CharField(_("name"), max_length=120)
    origin = models.CharField(_("made from"), max_length=10, choices=Origin, default=Origin.MATRIX)
    training = models.ForeignKey(  # whose points it compares
        "generator.Training",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="comparisons",
        verbose_name=_("compares points of"),
    )
    template = models.TextField(_("prompt with choices"), blank=True)  # of a matrix, as it was written
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    hidden = models.BooleanField(default=False, editable=False)  # taken off its owner's Create page
    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created"]
        indexes = [models.Index(fields=["owner", "-created"], name="batch_of_owner")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("generator:batch", args=[self.pk])
