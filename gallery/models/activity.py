"""What has happened, and who is to hear of it."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from gallery.models.album import Album
from gallery.models.comment import Comment
from gallery.models.media import Media


class Verb(models.TextChoices):
    """What somebody did."""

    COMMENTED = "commented", _("commented on a picture")
    REPLIED = "replied", _("answered a comment")
    MENTIONED = "mentioned", _("mentioned you")
    REVIEW_ASKED = "review_asked", _("asked for a review")
    APPROVED = "approved", _("approved a picture")
    CHANGES_WANTED = "changes", _("asked for changes")
    REJECTED = "rejected", _("rejected a picture")
    ALBUM_MADE = "album_made", _("made an album")
    ALBUM_SHARED = "album_shared", _("shared an album with you")
    ADDED_TO_ALBUM = "added_to_album", _("added pictures to an album")
    LINK_MADE = "link_made", _("made a share link")
    LINK_REVOKED = "link_revoked", _("revoked a share link")


class Activity(models.Model):
    """One line of what happened in a team, to an album, to a picture. Only ever added to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="activity")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    verb = models.CharField(_("what"), max_length=20, choices=Verb)
    media = models.ForeignKey(Media, models.CASCADE, null=True, blank=True, related_name="activity")
    album = models.ForeignKey(Album, models.CASCADE, null=True, blank=True, related_name="activity")
    comment = models.ForeignKey(Comment, models.CASCADE, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=200, blank=True)  # the first words of what was said
    created = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        ordering = ["-created", "-id"]
        indexes = [
            models.Index(fields=["team", "-created"], name="activity_of_team"),
            models.Index(fields=["media", "-created"], name="activity_of_media"),
            models.Index(fields=["album", "-created"], name="activity_of_album"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.get_verb_display()}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices by whether they still want attention."""

    def unread(self) -> "NoticeQuerySet":
        """Those nobody has looked at."""
        return self.filter(read=None)


class Notice(models.Model):
    """An activity that concerns one person: shown in the page at once, by letter if they want that."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    activity = models.ForeignKey(Activity, models.CASCADE, related_name="notices")
    verb = models.CharField(max_length=20, choices=Verb)  # what it is to this person: mentioned, say
    created = models.DateTimeField(default=timezone.now, editable=False)
    read = models.DateTimeField(null=True, blank=True)
    mailed = models.DateTimeField(null=True, blank=True)
    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "activity"], name="one_notice_an_activity")]
        indexes = [models.Index(fields=["user", "-created"], name="notice_of_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_verb_display()}"


class NoticePreferences(models.Model):
    """How one person wants to hear of things. Without a row: everything in the page, a letter a day."""

    class Letters(models.TextChoices):
        """How often notices come by e-mail."""

        NEVER = "never", _("Never")
        HOURLY = "hourly", _("At most once an hour")
        DAILY = "daily", _("Once a day")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="notice_preferences"
    )
    letters = models.CharField(_("letters"), max_length=8, choices=Letters, default=Letters.DAILY)
    muted = models.JSONField(default=list, blank=True)  # verbs that are not to be told

    class Meta:
        verbose_name = _("notice preferences")
        verbose_name_plural = _("notice preferences")

    def __str__(self) -> str:
        return str(self.user)
