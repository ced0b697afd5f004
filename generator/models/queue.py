"""Whose turn it is: one row for each person in each team that ever asked for something."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


class QueueAccount(models.Model):
    """A share of the workers. The one with the least virtual time is served next (start-time fair queueing)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="queue_accounts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="queue_accounts")
    virtual_time = models.FloatField(_("virtual time"), default=0.0)  # cost served so far, in the unit of Job.cost

    class Meta:
        verbose_name = _("queue account")
        verbose_name_plural = _("queue accounts")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_queue_account_each")]
        indexes = [models.Index(fields=["virtual_time"], name="account_by_virtual_time")]

    def __str__(self) -> str:
        return f"{self.team} · {self.user}"
