"""A picture and all it is found by."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action


def original_path(media: "Media", filename: str) -> str:
    """Where an original is kept: by its own id, so that no name from outside ever becomes a path."""
    return f"originals/{media.id.hex[:2]}/{media.id.hex}.{filename.rsplit('.', 1)[-1]}"


class MediaQuerySet(models.QuerySet["Media"]):
    """Pictures as somebody may see or change them."""

    def visible_to(self, user) -> "MediaQuerySet":
        """What `user` may look at: own ones, those that a team shares with its members, and published ones."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        teams = Team.objects.where(user, Action.VIEW).values("pk")
        own = Q(owner=user, team__in=teams)
        shared = Q(team__in=teams) & ~Q(visibility=Media.Visibility.PRIVATE)
        return self.filter(own | shared | Q(visibility=Media.Visibility.PUBLISHED))

    def editable_by(self, user) -> "MediaQuerySet":
        """What `user` may change, delete and restore: own ones, and everybody's shared ones where the role curates."""
        own = Q(owner=user, team__in=Team.objects.where(user, Action.CREATE).values("pk"))
        curated = Q(team__in=Team.objects.where(user, Action.CURATE).values("pk")) & ~Q(
            visibility=Media.Visibility.PRIVATE
        )
        return self.filter(own | curated) if user.is_authenticated and user.is_active else self.none()

    def kept(self) -> "MediaQuerySet":
        """Those that are not in the trash."""
        return self.filter(deleted=None)

    def trashed(self) -> "MediaQuerySet":
        """Those that can still be restored."""
        return self.exclude(deleted=None)


class Media(models.Model):
    """A finished picture. The recipe is a snapshot: it stays true when presets, models or accounts change."""

    class Visibility(models.TextChoices):
        """Who may see it."""

        PRIVATE = "private", _("Only me")
        TEAM = "team", _("Team")
        PUBLISHED = "published", _("Everybody here")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="media", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="media", verbose_name=_("made by")
    )
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility, default=Visibility.TEAM)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    deleted = models.DateTimeField(_("deleted"), null=True, blank=True)

    file = models.FileField(_("file"), upload_to=original_path, max_length=120)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    bytes = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64, editable=False)

    title = models.CharField(_("title"), max_length=200, blank=True)
    prompt = models.TextField(_("prompt"), blank=True)
    checkpoint = models.CharField(_("model"), max_length=120, blank=True)
    style = models.CharField(_("style"), max_length=60, blank=True)
    format = models.CharField(_("format"), max_length=20, blank=True)
    scheduler = models.CharField(_("scheduler"), max_length=40, blank=True)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True)
    steps = models.PositiveSmallIntegerField(_("steps"), null=True, blank=True)
    guidance = models.FloatField(_("guidance"), null=True, blank=True)
    recipe = models.JSONField(_("recipe"), default=dict, blank=True)

    job = models.UUIDField(
        _("job"), null=True, blank=True, editable=False
    )  # an id, not a key: gallery knows no generator
    index = models.PositiveSmallIntegerField(_("number in its job"), default=0, editable=False)

    objects = MediaQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["-created", "-id"]
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="one_result_a_job_and_index")]
        indexes = [
            models.Index(fields=["team", "-created", "-id"], name="media_of_team", condition=Q(deleted=None)),
            models.Index(fields=["owner", "-created", "-id"], name="media_of_owner", condition=Q(deleted=None)),
            models.Index(fields=["deleted"], name="media_in_trash", condition=~Q(deleted=None)),
        ]

    def __str__(self) -> str:
        return self.title or self.prompt or str(self.id)

    def get_absolute_url(self) -> str:
        """The picture's page."""
        from django.urls import reverse

        return reverse("gallery:picture", args=[self.pk])


class Like(models.Model):
    """One person's mark on a picture."""

    media = models.ForeignKey(Media, models.CASCADE, related_name="likes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="likes")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("like")
        verbose_name_plural = _("likes")
        constraints = [models.UniqueConstraint(fields=["media", "user"], name="one_like_a_person")]

    def __str__(self) -> str:
        return f"{self.user} ♥ {self.media_id}"
