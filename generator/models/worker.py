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
    memory = models.PositiveIntegerField(_("memory (MiB)"), default=0)  # of the device, all of it; 0: not known
    memory_free = models.PositiveIntegerField(_("free memory (MiB)"), default=0)
    kinds = models.JSONField(_("kinds of jobs"), default=list, blank=True)  # of Job.Kind; empty: not announced yet
    families = models.JSONField(_("model families"), default=list, blank=True)
    loaded = models.JSONField(_("loaded models"), default=list, blank=True)  # Job.loads of each, the latest first
    plans = models.JSONField(_("memory plans"), default=dict, blank=True)  # of each that is loaded, in words
    version = models.CharField(_("version"), max_length=40, blank=True)
    is_paused = models.BooleanField(_("paused"), default=False, help_text=_("Finishes its job and takes no other."))
    jobs_done = models.PositiveIntegerField(_("jobs done"), default=0)
    started = models.DateTimeField(_("started"), default=timezone.now)
    seen = models.DateTimeField(_("last seen"), default=timezone.now)
    objects = WorkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
