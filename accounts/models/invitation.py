"""How people come: sign-up is closed, a team invites."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.team import Team
from accounts.roles import Role


def _in_a_week():
    return timezone.now() + timedelta(days=7)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by their state."""

    def open(self) -> "InvitationQuerySet":
        """Those that can still be accepted."""
        return self.filter(accepted=None, revoked=None, expires__gt=timezone.now())

    def by_token(self, token: str) -> "InvitationQuerySet":
        """The invitation that a link's token belongs to (at most one)."""
        return self.filter(token_hash=Invitation.hash(token))


class Invitation(models.Model):
    """A link that lets one person into a team. The link itself is not kept, only its hash."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.CREATOR)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by")
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)
    expires = models.DateTimeField(_("expires"), default=_in_a_week)
    mailed = models.DateTimeField(_("mailed"), null=True, blank=True)
    accepted = models.DateTimeField(_("accepted"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)
    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.email} → {self.team}"

    @staticmethod
    def new_token() -> str:
        """256 random bits, safe in an address."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def hash(token: str) -> str:
        """What the database keeps of a token. It has 256 bits of its own, so a plain hash is enough."""
        return hashlib.sha256(token.encode()).hexdigest()
