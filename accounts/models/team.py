"""Teams and who is in them. Everything that is made belongs to a team; everybody has a personal one from the start."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.roles import Action, Role, roles_for


class TeamQuerySet(models.QuerySet["Team"]):
    """Teams as somebody may use them."""

    def where(self, user, action: Action) -> "TeamQuerySet":
        """Teams in which `user` may do `action`; nobody's for an anonymous or deactivated one."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(pk__in=self.pks_where(user, action))

    @staticmethod
    def pks_where(user, action: Action) -> "list[uuid.UUID] | models.QuerySet":
        """The ids of those teams: as a subquery, or from the roles that `user` keeps for a page (User.keep_roles)."""
        if not (user.is_authenticated and user.is_active):
            return []
        wanted = roles_for(action)
        if user.kept_roles is not None:
            return [team for team, role in user.kept_roles.items() if role in wanted]
        return Membership.objects.filter(user=user, role__in=wanted).values_list("team", flat=True)


class Team(models.Model):
    """People who share pictures, models and quotas."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="personal_team",
        verbose_name=_("personal team of"),
    )
    share = models.PositiveSmallIntegerField(
        _("share of the workers"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Against other teams: one with 2 is served twice as much as one with 1 while both wait."),
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")
    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """One or two letters for the square badge."""
        return "".join(word[0] for word in self.name.split()[:2]).upper()

    @property
    def is_personal(self) -> bool:
        """Whether this is the team that a person has from the start, alone."""
        return self.personal_of_id is not None


class Membership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.CREATOR)
    share = models.PositiveSmallIntegerField(
        _("share of the team's turn"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Against other people of the team: one with 2 is served twice as much as one with 1."),
    )
    joined = models.DateTimeField(_("joined"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["joined"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_a_team")]

    def __str__(self) -> str:
        return f"{self.user} · {self.team} · {self.get_role_display()}"
