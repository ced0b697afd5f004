"""Keys for scripts: what a bearer token stands for."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PREFIX = "atl_"  # so that scanners for leaked secrets know one when they see it


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys by whether they open anything."""

    def unrevoked(self) -> "ApiKeyQuerySet":
        """Of people who may still come in. Some may have expired."""
        return self.filter(revoked=None, user__is_active=True)

    def valid(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired, and of a person who may still come in."""
        return self.unrevoked().filter(Q(expires=None) | Q(expires__gt=timezone.now()))

    def by_hash(self, token_hash: str) -> "ApiKeyQuerySet":
        """The key of the bearer token with this hash (at most one)."""
        return self.filter(token_hash=token_hash)


class ApiKey(models.Model):
    """One key of one person. The key itself is shown once and not kept, only its hash."""

    class Scope(models.TextChoices):
        """What a key may be used for."""

        READ = "read", _("Read")
        WRITE = "write", _("Read and change")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=80)
    hint = models.CharField(max_length=12, editable=False)  # its first letters, by which a person knows it again
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("scope"), max_length=8, choices=Scope, default=Scope.READ)
    team = models.ForeignKey(
        "accounts.Team", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("pictures go to")
    )  # where a request names no team; none: the personal one
    created = models.DateTimeField(_("created"), auto_now_add=True)
    expires = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)
    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= timezone.now()

    @staticmethod
    def new_token() -> str:
        """A prefix and 256 random bits."""
        return PREFIX + secrets.token_urlsafe(32)

    @staticmethod
    def hash(token: str) -> str:
        """What the database keeps of a token. It has 256 bits of its own, so a plain hash is enough."""
        return hashlib.sha256(token.encode()).hexdigest()
