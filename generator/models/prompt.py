"""What a person wrote before, to find and use again."""

import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action


class PromptQuerySet(models.QuerySet["Prompt"]):
    """Prompts as somebody may see them."""

    def visible_to(self, user) -> "PromptQuerySet":
        """Own ones, and those shared with a team of theirs."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        shared = models.Q(is_shared=True, team__in=Team.objects.pks_where(user, Action.VIEW))
        return self.filter(models.Q(user=user) | shared)


class Prompt(models.Model):
    """One line of the history: a text once a person and team, however often it was used."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="prompts")
    team = models.ForeignKey(Team, models.CASCADE, related_name="prompts")
    text = models.TextField(_("prompt"), max_length=2000)
    negative = models.TextField(_("negative prompt"), max_length=2000, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    uses = models.PositiveIntegerField(_("times used"), default=1)
    last_used = models.DateTimeField(_("last used"), default=timezone.now)
    is_saved = models.BooleanField(_("saved"), default=False)
    is_shared = models.BooleanField(_("shared with the team"), default=False)
    objects = PromptQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["-is_saved", "-last_used"]
        constraints = [models.UniqueConstraint(fields=["user", "team", "digest"], name="one_prompt_a_text")]

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def digest_of(text: str, negative: str) -> str:
        """What makes two prompts the same one."""
        return hashlib.sha256(f"{text}\0{negative}".encode()).hexdigest()
