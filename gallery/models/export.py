"""Where pictures go: channels with their sizes, the point of a picture that a crop keeps, and prepared exports."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from gallery.models.errand import Errand, ErrandQuerySet
from gallery.models.media import Media

LONGEST_EDGE = 16_000  # pixels; WebP ends at 16,383
_PERCENT = [MaxValueValidator(45)]


class Format(models.TextChoices):
    """What a file can be."""

    JPEG = "jpeg", "JPEG"
    PNG = "png", "PNG"
    WEBP = "webp", "WebP"
    AVIF = "avif", "AVIF"


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Channels as a team sees them."""

    def for_team(self, team: Team) -> "ChannelQuerySet":
        """Those of every installation, and the team's own."""
        return self.filter(Q(team=None) | Q(team=team), is_active=True)


class Channel(models.Model):
    """A place where pictures are shown, and what it asks of a file. Without a size: the whole picture as it is."""

    team = models.ForeignKey(
        Team, models.CASCADE, null=True, blank=True, related_name="channels", verbose_name=_("team")
    )  # None: every team's
    slug = models.SlugField(_("short name"), max_length=50, help_text=_("Stands in file names."))
    name = models.CharField(_("name"), max_length=80)
    width = models.PositiveIntegerField(
        _("width"), null=True, blank=True, validators=[MinValueValidator(16), MaxValueValidator(LONGEST_EDGE)]
    )
    height = models.PositiveIntegerField(
        _("height"), null=True, blank=True, validators=[MinValueValidator(16), MaxValueValidator(LONGEST_EDGE)]
    )
    dpi = models.PositiveSmallIntegerField(
        _("dots per inch"), null=True, blank=True, help_text=_("For print. Written into the file.")
    )
    format = models.CharField(_("format"), max_length=5, choices=Format, default=Format.JPEG)
    quality = models.PositiveSmallIntegerField(
        _("quality"), default=88, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    max_kb = models.PositiveIntegerField(
        _("at most kB"), null=True, blank=True, help_text=_("The quality is lowered until the file is no larger.")
    )
    # What the channel itself may cover with its buttons and names, in percent of the side.
    safe_top = models.PositiveSmallIntegerField(_("covered at the top (%)"), default=0, validators=_PERCENT)
    safe_bottom = models.PositiveSmallIntegerField(_("covered at the bottom (%)"), default=0, validators=_PERCENT)
    safe_sides = models.PositiveSmallIntegerField(_("covered at each side (%)"), default=0, validators=_PERCENT)
    order = models.PositiveSmallIntegerField(_("order"), default=100)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["order", "name"]
        constraints = [
            models.UniqueConstraint(fields=["team", "slug"], name="one_channel_a_slug"),
            models.UniqueConstraint(fields=["slug"], condition=Q(team=None), name="one_shared_channel_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels; None: as large as the picture."""
        return (self.width, self.height) if self.width and self.height else None


class FocusPoint(models.Model):
    """The point of a picture, in shares of its sides, that a channel's crop keeps as near to its middle as it can."""

    media = models.ForeignKey(Media, models.CASCADE, related_name="focus_points")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="focus_points")
    x = models.FloatField(default=0.5)
    y = models.FloatField(default=0.5)

    class Meta:
        verbose_name = _("focus point")
        verbose_name_plural = _("focus points")
        constraints = [models.UniqueConstraint(fields=["media", "channel"], name="one_focus_a_channel")]

    def __str__(self) -> str:
        return f"{self.media_id} · {self.channel_id}"


def export_path(export: "Export", filename: str) -> str:
    """By its own id, so that no name from outside ever becomes a path."""
    return f"exports/{export.pk.hex}.{filename.rsplit('.', 1)[-1]}"


class ExportQuerySet(ErrandQuerySet):
    """Exports as their owner sees them."""

    def visible_to(self, user) -> "ExportQuerySet":
        """One's own, and nobody else's: an export holds what its owner may see, which others may not."""
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()

    def kept(self) -> "ExportQuerySet":
        """Those that can still be fetched."""
        return self.filter(expires__gte=timezone.now())

    def expired(self) -> "ExportQuerySet":
        """Those whose time is over."""
        return self.filter(expires__lt=timezone.now())


class Export(Errand):
    """Pictures made ready for channels: one file, or a zip with its manifest. `wishes`: see gallery.export.spec."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="exports", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="exports", verbose_name=_("asked for by")
    )
    name = models.CharField(_("name"), max_length=200)
    wishes = models.JSONField(default=dict)
    total = models.PositiveIntegerField(_("files"), default=0)
    done = models.PositiveIntegerField(_("files ready"), default=0)
    notes = models.JSONField(default=list)  # what was left out or does not fit, in plain words
    file = models.FileField(_("file"), upload_to=export_path, max_length=120, blank=True)
    bytes = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now)
    expires = models.DateTimeField(_("kept until"), db_index=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-created"]
        indexes = [models.Index(fields=["state", "queued"], name="exports_in_line")]

    def __str__(self) -> str:
        return self.name
