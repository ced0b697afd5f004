"""What people say about a picture."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.media import Media

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class Comment(models.Model):
    """A remark, or an answer to one. A first one may be pinned to a point of the picture."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    media = models.ForeignKey(Media, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="comments")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies")
    text = models.TextField(_("comment"), max_length=4000)
    x = models.FloatField(null=True, blank=True, validators=SHARE)  # of the width, from the left
    y = models.FloatField(null=True, blank=True, validators=SHARE)  # of the height, from the top
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="mentioned_in", blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    edited = models.DateTimeField(_("edited"), null=True, blank=True)
    deleted = models.DateTimeField(_("deleted"), null=True, blank=True)  # the answers to it stay
    resolved = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["created", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(x=None, y=None) | Q(x__gte=0, x__lte=1, y__gte=0, y__lte=1), name="pin_in_picture"
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def is_pinned(self) -> bool:
        """Whether it points at a place in the picture."""
        return self.x is not None


class Rating(models.Model):
    """One person's one to five stars for a picture."""

    media = models.ForeignKey(Media, models.CASCADE, related_name="ratings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ratings")
    stars = models.PositiveSmallIntegerField(_("stars"), validators=[MinValueValidator(1), MaxValueValidator(5)])

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [models.UniqueConstraint(fields=["media", "user"], name="one_rating_a_person")]

    def __str__(self) -> str:
        return f"{self.user} · {self.stars}"


class Tag(models.Model):
    """A word by which a team finds its pictures."""

    team = models.ForeignKey("accounts.Team", models.CASCADE, related_name="tags")
    name = models.CharField(_("tag"), max_length=40)  # in small letters
    pictures = models.ManyToManyField(Media, related_name="tags", blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_tag_a_word")]

    def __str__(self) -> str:
        return self.name
