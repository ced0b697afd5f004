"""Albums: pictures put together by hand, in an order that means something."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action
from gallery.models.media import Media


class AlbumQuerySet(models.QuerySet["Album"]):
    """Albums as somebody may see or change them."""

    def visible_to(self, user) -> "AlbumQuerySet":
        """Own ones, the team's, those one was made a member of, and published ones."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        teams = Team.objects.pks_where(user, Action.VIEW)
        own = Q(owner=user, team__in=teams)
        shared = Q(team__in=teams) & ~Q(visibility=Album.Visibility.PRIVATE)
        invited = Q(pk__in=AlbumMember.objects.filter(user=user).values("album"))
        return self.filter(own | shared | invited | Q(visibility=Album.Visibility.PUBLISHED))

    def editable_by(self, user) -> "AlbumQuerySet":
        """Whose pictures and order `user` may change: own ones, curators' of the team, and as a member who may edit."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        invited = AlbumMember.objects.filter(user=user, right=AlbumMember.Right.EDIT)
        return self.filter(self._managed(user) | Q(pk__in=invited.values("album")))

    def managed_by(self, user) -> "AlbumQuerySet":
        """Whose name, visibility and members `user` may change, and that they may delete."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(self._managed(user))

    @staticmethod
    def _managed(user) -> Q:
        own = Q(owner=user, team__in=Team.objects.pks_where(user, Action.ORGANISE))
        curated = Q(team__in=Team.objects.pks_where(user, Action.CURATE))
        return own | curated & ~Q(visibility=Album.Visibility.PRIVATE)


class Album(models.Model):
    """A named choice of a team's pictures."""

    Visibility = Media.Visibility

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="albums", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="albums", verbose_name=_("made by")
    )
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Media.Visibility, default=Media.Visibility.TEAM
    )
    cover = models.ForeignKey(Media, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("cover"))
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    changed = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    pictures = models.ManyToManyField(Media, through="AlbumItem", related_name="albums")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="AlbumMember", related_name="shared_albums")
    objects = AlbumQuerySet.as_manager()

    class Meta:
        verbose_name = _("album")
        verbose_name_plural = _("albums")
        ordering = ["-changed", "-id"]
        indexes = [models.Index(fields=["team", "-changed"], name="album_of_team")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The album's page."""
        from django.urls import reverse

        return reverse("gallery:album", args=[self.pk])


class AlbumItem(models.Model):
    """A picture's place in an album."""

    album = models.ForeignKey(Album, models.CASCADE, related_name="items")
    media = models.ForeignKey(Media, models.CASCADE, related_name="places")
    position = models.FloatField(default=0.0)  # between two neighbours there is always room for a third
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    added = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("picture in an album")
        verbose_name_plural = _("pictures in albums")
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["album", "media"], name="once_in_an_album")]
        indexes = [models.Index(fields=["album", "position", "id"], name="album_order")]

    def __str__(self) -> str:
        return f"{self.album} · {self.media_id}"


class AlbumMember(models.Model):
    """What one person may do in an album beside what their role in its team allows."""

    class Right(models.TextChoices):
        """Each includes the one before."""

        VIEW = "view", _("Can look")
        COMMENT = "comment", _("Can comment")
        EDIT = "edit", _("Can add and arrange")

    album = models.ForeignKey(Album, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="album_memberships")
    right = models.CharField(_("right"), max_length=8, choices=Right, default=Right.VIEW)
    added = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("album member")
        verbose_name_plural = _("album members")
        ordering = ["added"]
        constraints = [models.UniqueConstraint(fields=["album", "user"], name="one_right_an_album")]

    def __str__(self) -> str:
        return f"{self.user} · {self.album} · {self.get_right_display()}"
