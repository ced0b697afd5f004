"""Links for people without an account."""

import hashlib
import secrets
import uuid

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Team
from accounts.roles import Action, roles_for
from gallery.models.album import Album
from gallery.models.media import Media


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Links by whether they open anything, and for whom they are to manage."""

    def valid(self) -> "ShareLinkQuerySet":
        """Neither revoked nor expired, by somebody who may still share in that team."""
        sharer = Membership.objects.filter(
            user=OuterRef("created_by"), team=OuterRef("team"), role__in=roles_for(Action.SHARE), user__is_active=True
        )
        return self.filter(Exists(sharer), Q(expires=None) | Q(expires__gt=timezone.now()), revoked=None)

    def by_token(self, token: str) -> "ShareLinkQuerySet":
        """The link that a token belongs to (at most one)."""
        return self.filter(token_hash=ShareLink.hash(token))

    def managed_by(self, user) -> "ShareLinkQuerySet":
        """Own ones, and everybody's where the role curates."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = Q(created_by=user, team__in=Team.objects.pks_where(user, Action.SHARE))
        return self.filter(own | Q(team__in=Team.objects.pks_where(user, Action.CURATE)))


class ShareLink(models.Model):
    """An address that shows one picture or one album to whoever has it. The token is shown once; its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="share_links")
    media = models.ForeignKey(Media, models.CASCADE, null=True, blank=True, related_name="share_links")
    album = models.ForeignKey(Album, models.CASCADE, null=True, blank=True, related_name="share_links")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="share_links")
    name = models.CharField(_("for whom"), max_length=120, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    password = models.CharField(max_length=128, blank=True, editable=False)
    may_download = models.BooleanField(_("originals can be downloaded"), default=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)
    opened = models.PositiveIntegerField(_("times opened"), default=0)
    downloaded = models.PositiveIntegerField(_("downloads"), default=0)
    last_opened = models.DateTimeField(_("last opened"), null=True, blank=True)
    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(
                condition=Q(media=None, album__isnull=False) | Q(album=None, media__isnull=False),
                name="link_to_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.name or str(self.media or self.album)

    @staticmethod
    def new_token() -> str:
        """256 random bits, safe in an address."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def hash(token: str) -> str:
        """What the database keeps of a token. It has 256 bits of its own, so a plain hash is enough."""
        return hashlib.sha256(token.encode()).hexdigest()

    def set_password(self, password: str) -> None:
        """Asks visitors for `password` from now on; an empty one asks for none."""
        self.password = make_password(password) if password else ""

    def opens_with(self, password: str) -> bool:
        """Whether a visitor's password is right."""
        return check_password(password, self.password)

    def pictures(self) -> models.QuerySet[Media]:
        """What it shows at this moment: nothing private, nothing from the trash, in the album's order."""
        shown = Media.objects.kept().filter(team=self.team_id).exclude(visibility=Media.Visibility.PRIVATE)
        if self.album_id is None:
            return shown.filter(pk=self.media_id)
        return shown.filter(places__album=self.album_id).order_by("places__position", "places__pk")
