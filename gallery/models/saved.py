"""Searches that people keep, under a name, for themselves or for their team."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    """Saved searches as somebody may see or change them."""

    def visible_to(self, user) -> "SavedSearchQuerySet":
        """Own ones, and those shared with a team of theirs."""
        teams = Team.objects.pks_where(user, Action.VIEW)
        return self.filter(Q(owner=user.pk) | Q(is_shared=True), team__in=teams)

    def editable_by(self, user) -> "SavedSearchQuerySet":
        """Own ones, and shared ones where `user` keeps the team in order."""
        viewed, curated = (Team.objects.pks_where(user, action) for action in (Action.VIEW, Action.CURATE))
        return self.filter(Q(owner=user.pk, team__in=viewed) | Q(is_shared=True, team__in=curated))

    def kept(self) -> "SavedSearchQuerySet":
        """Those that were not deleted."""
        return self.filter(deleted=None)


class SavedSearch(models.Model):
    """A search of the gallery. It finds what whoever opens it may see: sharing it shows nobody another picture."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="saved_searches", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches", verbose_name=_("saved by")
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(_("query"), help_text=_("The address after its question mark, as the search writes it."))
    is_shared = models.BooleanField(_("shared with the team"), default=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    deleted = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)  # for an Undo
    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        ordering = ["name", "created", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "owner", "name"], condition=Q(deleted=None), name="one_saved_search_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The gallery, searched so."""
        from django.urls import reverse

        return f"{reverse('gallery:index')}?{self.query}"
