"""The workers that were seen."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Workers by whether they live."""

    def alive(self) -> "WorkerQuerySet":
        """Those that were heard of in the last half minute."""
        return self.filter(seen__gt=timezone.now() - timedelta(seconds=30))


class Worker(models.Model):
    """One worker process, as it announced itself."""

    name = models.CharField(_("name"), max_length=120, primary_key=True)
    device = models.CharField(_("device"), max_length=120, blank=True)
    dtype = models.CharField(_("number format"), max_length=20, blank=True)
    checkpoint = models.CharField(_("loaded model"), max_length=120, blank=True)
    started = models.DateTimeField(_("started"), default=timezone.now)
    seen = models.DateTimeField(_("last seen"), default=timezone.now)
    objects = WorkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
