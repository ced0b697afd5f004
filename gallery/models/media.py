"""A picture and all it is found by."""

import uuid
from functools import cache, reduce
from operator import or_

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action
from gallery.models import indexing
from gallery.models.words import WordsField


def original_path(media: "Media", filename: str) -> str:
    """Where an original is kept: by its own id, so that no name from outside ever becomes a path."""
    return f"originals/{media.id.hex[:2]}/{media.id.hex}.{filename.rsplit('.', 1)[-1]}"


class MediaQuerySet(models.QuerySet["Media"]):
    """Pictures as somebody may see or change them."""

    def visible_to(self, user) -> "MediaQuerySet":
        """What `user` may look at: own ones, those shared in a team or by an album, and published ones."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(reduce(or_, self.grounds(user, Team.objects.pks_where(user, Action.VIEW)).values()))

    @staticmethod
    def grounds(user, teams) -> dict[str, Q]:
        """What lets `user`, who may look into `teams`, see a picture: any one of these.

        visible_to asks for all at once; a page of a million pictures goes through them one by one, each by its index.
        """
        shared = ~Q(visibility=Media.Visibility.PRIVATE)
        return {
            "own": Q(owner=user, team__in=teams),
            "team": Q(team__in=teams) & shared,
            "album": Q(pk__in=_in_albums_for(user)) & shared,
            "published": Q(visibility=Media.Visibility.PUBLISHED),
        }

    def reusable_by(self, user, team: Team) -> "MediaQuerySet":
        """What `user` may make new pictures of in `team`: of what they see, the team's, their own, and published ones.

        So what one team has made goes on in another only by the hand of whoever made it, or once it is for everybody.
        """
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return (
            self.kept().visible_to(user).filter(Q(team=team) | Q(owner=user) | Q(visibility=Media.Visibility.PUBLISHED))
        )

    def commentable_by(self, user) -> "MediaQuerySet":
        """What `user` may comment on: what they see in teams where their role comments, or in albums that let them."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        by_role = Q(team__in=Team.objects.pks_where(user, Action.COMMENT))
        rights = user.album_memberships.exclude(right="view").values("album")
        by_album = Q(pk__in=_items().filter(album__in=rights).values("media"))
        return self.visible_to(user).filter(by_role | by_album)

    def editable_by(self, user) -> "MediaQuerySet":
        """What `user` may change, delete and restore: own ones, and everybody's shared ones where the role curates."""
        own = Q(owner=user, team__in=Team.objects.pks_where(user, Action.CREATE))
        curated = Q(team__in=Team.objects.pks_where(user, Action.CURATE)) & ~Q(visibility=Media.Visibility.PRIVATE)
        return self.filter(own | curated) if user.is_authenticated and user.is_active else self.none()

    def kept(self) -> "MediaQuerySet":
        """Those that are not in the trash."""
        return self.filter(deleted=None)

    def trashed(self) -> "MediaQuerySet":
        """Those that can still be restored."""
        return self.exclude(deleted=None)


def _in_albums_for(user) -> models.QuerySet:
    """The ids of what stands in albums that `user` was made a member of, or that everybody here may see."""
    opened = Q(album__in=user.album_memberships.values("album")) | Q(album__visibility=Media.Visibility.PUBLISHED)
    return _items().filter(opened).values("media")


def _items() -> models.QuerySet:
    """The places of pictures in albums; albums are built on pictures, so this is asked for by name."""
    return apps.get_model("gallery", "AlbumItem").objects.order_by()


class Media(models.Model):
    """A finished picture. The recipe is a snapshot: it stays true when presets, models or accounts change."""

    class Visibility(models.TextChoices):
        """Who may see it."""

        PRIVATE = "private", _("Only me")
        TEAM = "team", _("Team")
        PUBLISHED = "published", _("Everybody here")

    class Way(models.TextChoices):
        """How it was made. Open: whatever makes pictures names its way here."""

        TEXT = "text", _("From text")
        IMAGE = "image", _("From a picture")
        INPAINT = "inpaint", _("Part of a picture made anew")
        OUTPAINT = "outpaint", _("Picture extended")
        VARY = "vary", _("Variation")
        UPSCALE = "upscale", _("Enlarged")
        HIRES = "hires", _("Enlarged and refined")
        CUTOUT = "cutout", _("Background removed")
        REFERENCE = "reference", _("From a reference")
        IMPORT = "import", _("Imported")

    class Derived(models.IntegerChoices):
        """Whether its smaller versions beyond the tile are made."""

        WAITING = 0, _("Waiting")
        DONE = 1, _("Done")
        FAILED = 2, _("Failed")

    class ReviewState(models.TextChoices):
        """How far it is on the way to "approved"."""

        NONE = "", _("Not reviewed")
        ASKED = "asked", _("In review")
        CHANGES = "changes", _("Changes wanted")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

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
    blur = models.TextField(
        blank=True, editable=False
    )  # a WebP of a few pixels in base64, shown until the tile is there
    derived = models.PositiveSmallIntegerField(
        _("smaller versions"), choices=Derived, default=Derived.WAITING, editable=False
    )

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
    way = models.CharField(_("way it was made"), max_length=20, default=Way.TEXT)  # a Way; others' ways as they are
    made_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="made", verbose_name=_("made from")
    )

    review_state = models.CharField(
        _("review"), max_length=10, choices=ReviewState, default=ReviewState.NONE, blank=True, editable=False
    )
    colours = models.CharField(_("colours"), max_length=60, blank=True, editable=False)  # the most of it first
    like_count = models.PositiveIntegerField(_("likes"), default=0, editable=False)
    stars = models.FloatField(_("stars"), default=0.0, editable=False)  # the mean; 0 while nobody gave any
    words = WordsField()
    version_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="versions", verbose_name=_("new version of")
    )

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
            models.Index(fields=["owner", "-created", "-id"], name="media_of_owner", condition=Q(deleted=None)),
            models.Index(fields=["deleted"], name="media_in_trash", condition=~Q(deleted=None)),
            models.Index(fields=["-created"], name="media_to_derive", condition=Q(deleted=None, derived=0)),
            *indexing.INDEXES,
        ]

    def __str__(self) -> str:
        return self.title or self.prompt or str(self.id)

    def get_absolute_url(self) -> str:
        """The picture's page."""
        return _page_at(get_script_prefix()).replace(_ANY, str(self.pk))


_ANY = str(uuid.UUID(int=0))


@cache
def _page_at(prefix: str) -> str:
    """The page of any picture where the site is at `prefix`: looked up once, not for each of forty on a page."""
    return reverse("gallery:picture", args=[_ANY])


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
