"""What somebody has stopped for a while: a worker, a person, a team, everything."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from generator.models.worker import Worker


class Hold(models.Model):
    """While it stands, no job of its target is claimed. What runs already finishes."""

    class Scope(models.TextChoices):
        """What is held; the fields named in brackets say which one."""

        EVERYTHING = "everything", _("Everything")
        TEAM = "team", _("A team")
        PERSON = "person", _("A person in a team")
        WORKER = "worker", _("A worker")

    scope = models.CharField(_("what is held"), max_length=10, choices=Scope)
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="holds", verbose_name=_("team"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="holds", verbose_name=_("person")
    )
    worker = models.ForeignKey(
        Worker, models.CASCADE, null=True, blank=True, related_name="holds", verbose_name=_("worker")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)  # for everybody whose jobs wait for it
    is_drain = models.BooleanField(_("for a deployment"), default=False)  # somebody waits until nothing runs any more
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["created"]
        constraints = [
            models.UniqueConstraint(fields=["scope"], name="one_hold_on_everything", condition=Q(scope="everything")),
            models.UniqueConstraint(fields=["team"], name="one_hold_a_team", condition=Q(scope="team")),
            models.UniqueConstraint(fields=["team", "user"], name="one_hold_a_person", condition=Q(scope="person")),
            models.UniqueConstraint(fields=["worker"], name="one_hold_a_worker", condition=Q(scope="worker")),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} · {self.team or self.worker or ''}"

    def explain(self) -> str:
        """A sentence for whoever waits for its end."""
        if self.is_drain:
            says = gettext("Atelier is about to be updated. Waiting jobs start afterwards.")
        elif self.scope == self.Scope.EVERYTHING:
            says = gettext("The whole queue is paused.")
        elif self.scope == self.Scope.TEAM:
            says = gettext("The jobs of the team “%(team)s” are paused.") % {"team": self.team}
        elif self.scope == self.Scope.PERSON:
            says = gettext("The jobs of %(person)s are paused.") % {"person": self.user}
        else:
            says = gettext("The worker %(worker)s is paused.") % {"worker": self.worker_id}
        return f"{says} {self.reason}".rstrip()
