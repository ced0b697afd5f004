"""The quota ledger: how many pictures a person had made in a team on a day."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.team import Team


class Usage(models.Model):
    """One line of the ledger. Charged when a job is accepted, given back for pictures that it never delivered."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="usage")
    team = models.ForeignKey(Team, models.CASCADE, related_name="usage")
    day = models.DateField(_("day"))
    pictures = models.PositiveIntegerField(_("pictures"), default=0)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["user", "team", "day"], name="one_usage_line_a_day")]

    def __str__(self) -> str:
        return f"{self.user} · {self.day} · {self.pictures}"
