"""What was counted so far, so that /metrics need not count a hundred thousand rows each time it is asked."""

from django.db import models
from django.utils import timezone


class Tally(models.Model):
    """One row: sums over all jobs that ended before `upto`. Deleting jobs later takes nothing away from them."""

    upto = models.DateTimeField(default=timezone.now)
    sums = models.JSONField(default=dict)  # see generator.metrics.fold

    def __str__(self) -> str:
        return f"{self.upto:%Y-%m-%d %H:%M}"
