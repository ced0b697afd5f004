"""Pictures that people bring: an upload with what they said of it, its files, and the pieces that arrive of each."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from gallery.models.errand import Errand, ErrandQuerySet
from gallery.models.media import Media


class Upload(models.Model):
    """One go of bringing pictures. What is said here holds for every file of it, and is kept in each recipe."""

    class Whose(models.TextChoices):
        """Whose picture it is, as the person states."""

        OWN = "own", _("We made it")
        CLIENT = "client", _("A client gave it to us")
        LICENSED = "licensed", _("Licensed from others")
        GENERATED = "generated", _("Made by an image model")
        PUBLIC = "public", _("Public domain")

    class Metadata(models.TextChoices):
        """What is kept of what the camera or another program wrote into the file."""

        STRIP = "strip", _("Nothing")
        NO_PLACE = "no-place", _("All but the place")
        KEEP = "keep", _("Everything, the place too")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="uploads", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads", verbose_name=_("brought by")
    )
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Media.Visibility, default=Media.Visibility.TEAM
    )
    whose = models.CharField(_("whose picture it is"), max_length=10, choices=Whose)
    rights_note = models.CharField(_("licence or source"), max_length=300, blank=True)
    metadata = models.CharField(_("metadata kept"), max_length=10, choices=Metadata, default=Metadata.STRIP)
    keeps_duplicates = models.BooleanField(_("take pictures that are here already"), default=False)
    created = models.DateTimeField(_("created"), default=timezone.now)
    undone = models.DateTimeField(_("taken back"), null=True, blank=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created"]
        indexes = [models.Index(fields=["owner", "-created"], name="uploads_of_owner")]

    def __str__(self) -> str:
        return f"{self.owner} · {self.created:%Y-%m-%d %H:%M}"


class UploadedFile(Errand):
    """One file of an upload, or one that lay in a zip of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="files")
    archive = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="held")
    name = models.CharField(_("name"), max_length=300)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    received = models.PositiveBigIntegerField(_("bytes received"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    notes = models.JSONField(default=list)  # what was changed or left behind, in plain words
    media = models.ForeignKey(
        Media, models.SET_NULL, null=True, blank=True, related_name="uploaded", verbose_name=_("picture")
    )
    is_duplicate = models.BooleanField(_("was here already"), default=False)

    objects = ErrandQuerySet.as_manager()

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        ordering = ["queued", "name"]
        indexes = [
            models.Index(fields=["state", "queued"], name="files_in_line"),
            models.Index(fields=["sha256"], name="files_by_content"),
        ]

    def __str__(self) -> str:
        return self.name


def piece_path(piece: "Piece", filename: str) -> str:
    """By the file's id and where the piece begins."""
    return f"uploads/{piece.of_id.hex}.{piece.offset}"


class Piece(models.Model):
    """A run of bytes of an uploaded file, in storage until the file was looked at."""

    of = models.ForeignKey(UploadedFile, models.CASCADE, related_name="pieces")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    file = models.FileField(upload_to=piece_path, max_length=120)

    class Meta:
        verbose_name = _("piece")
        verbose_name_plural = _("pieces")
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["of", "offset"], name="one_piece_an_offset")]

    def __str__(self) -> str:
        return f"{self.of_id} @ {self.offset}"
