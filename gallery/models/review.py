"""The way to "approved": what is asked of whom, and what they decided. Decisions are written once and never changed."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action, Role
from gallery.models.media import Media


class ReviewPolicy(models.Model):
    """What a team asks of a picture before it goes out. A team without a row has the defaults."""

    team = models.OneToOneField(Team, models.CASCADE, primary_key=True, related_name="review_policy")
    approvals = models.PositiveSmallIntegerField(
        _("approvals needed"), default=1, validators=[MinValueValidator(1), MaxValueValidator(3)]
    )
    makers_may_approve = models.BooleanField(
        _("people may approve their own pictures"),
        default=False,
        help_text=_("Off: a second person always looks, whatever the maker's role."),
    )
    marks_drafts = models.BooleanField(
        _("mark drafts"),
        default=False,
        help_text=_("Pictures that are not approved leave Atelier with the word “Draft” on them."),
    )

    class Meta:
        verbose_name = _("review policy")
        verbose_name_plural = _("review policies")

    def __str__(self) -> str:
        return str(self.team)


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews by whose turn it is."""

    def open(self) -> "ReviewQuerySet":
        """Those that still wait for a decision."""
        return self.filter(closed=None)

    def waiting_for(self, user) -> "ReviewQuerySet":
        """Open ones that `user` was asked for by name or by role, may decide, and has not decided yet."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        reviewing = Team.objects.pks_where(user, Action.REVIEW)
        by_role = Q()
        for role in Role:
            held = user.memberships.filter(role=role).values("team")
            by_role |= Q(role=role, media__team__in=held)
        asked = Q(pk__in=Review.reviewers.through.objects.filter(user=user).values("review")) | by_role
        decided = Decision.objects.filter(reviewer=user).values("review")
        mine = Q(media__owner=user) & ~Q(
            media__team__in=ReviewPolicy.objects.filter(makers_may_approve=True).values("team")
        )
        waiting = self.open().filter(asked, media__team__in=reviewing, media__deleted=None)
        return waiting.exclude(pk__in=decided).exclude(mine)


class Review(models.Model):
    """One request to look at one picture. A new version of the picture is a new request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    media = models.ForeignKey(Media, models.CASCADE, related_name="reviews")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="reviews_asked")
    reviewers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="reviews_wanted", blank=True)
    role = models.CharField(_("or anybody who is"), max_length=10, choices=Role, blank=True)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    created = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    closed = models.DateTimeField(_("closed"), null=True, blank=True)
    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["created", "id"]
        constraints = [
            models.UniqueConstraint(fields=["media"], name="one_open_review_a_picture", condition=Q(closed=None))
        ]
        indexes = [models.Index(fields=["created"], name="review_open", condition=Q(closed=None))]

    def __str__(self) -> str:
        return f"{self.media} · {self.created:%Y-%m-%d}"


class Decision(models.Model):
    """What one reviewer said. It cannot be edited: whoever changes their mind decides again."""

    class Verdict(models.TextChoices):
        """The three answers."""

        APPROVED = "approved", _("Approved")
        CHANGES = "changes", _("Changes wanted")
        REJECTED = "rejected", _("Rejected")

    review = models.ForeignKey(Review, models.CASCADE, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="decisions")
    reviewer_name = models.CharField(max_length=160, editable=False)  # stays when the account goes
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    sha256 = models.CharField(max_length=64, editable=False)  # of the very file that was looked at
    created = models.DateTimeField(_("decided"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["created", "id"]

    def __str__(self) -> str:
        return f"{self.reviewer_name} · {self.get_verdict_display()}"

    def save(self, *args, **kwargs) -> None:
        """Only once. ValueError for a second time."""
        if self.pk is not None:
            raise ValueError("a decision cannot be changed")
        super().save(*args, **kwargs)
