"""Who may do what: the one role × action table, from which both `can()` and the SQL of every `visible_to` derive."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A person's part in one team."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    CREATOR = "creator", _("Creator")
    REVIEWER = "reviewer", _("Reviewer")
    VIEWER = "viewer", _("Viewer")


class Action(models.TextChoices):
    """What a role may allow within its team. What people do with their own jobs and pictures needs CREATE only."""

    VIEW = "view", _("See the team's pictures and jobs")
    CREATE = "create", _("Make pictures")
    CURATE = "curate", _("Change, delete and restore anybody's pictures")
    COMMENT = "comment", _("Comment, rate and tag")
    ORGANISE = "organise", _("Make albums and ask for reviews")
    REVIEW = "review", _("Approve, ask for changes, reject")
    SHARE = "share", _("Make links for people outside")
    MANAGE_JOBS = "manage_jobs", _("Cancel and retry anybody's jobs")
    AUTOMATE = "automate", _("Set up webhooks")
    MANAGE_PEOPLE = "manage_people", _("Invite and remove people and change their roles")
    MANAGE_TEAM = "manage_team", _("Rename the team, hand it over")


ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.MANAGER: frozenset(Action) - {Action.MANAGE_TEAM},
    Role.CREATOR: frozenset({Action.VIEW, Action.CREATE, Action.COMMENT, Action.ORGANISE, Action.SHARE}),
    Role.REVIEWER: frozenset({Action.VIEW, Action.COMMENT, Action.ORGANISE, Action.REVIEW}),
    Role.VIEWER: frozenset({Action.VIEW}),
}


@dataclass(frozen=True)
class Limits:
    """How many jobs a person may have in one team at once; None: as many as they like."""

    queued: int | None
    running: int | None


LIMITS: dict[Role, Limits] = {
    Role.OWNER: Limits(queued=5000, running=None),
    Role.MANAGER: Limits(queued=5000, running=None),
    Role.CREATOR: Limits(queued=2000, running=16),
    Role.REVIEWER: Limits(queued=0, running=0),
    Role.VIEWER: Limits(queued=0, running=0),
}


def roles_for(action: Action) -> list[Role]:
    """The roles that allow `action`: what an SQL filter on memberships needs."""
    return [role for role, actions in ALLOWED.items() if action in actions]


def grantable(role: Role) -> list[Role]:
    """The roles that somebody with `role` may give and take: none that allows more than their own."""
    if Action.MANAGE_PEOPLE not in ALLOWED[role]:
        return []
    return [other for other in Role if ALLOWED[other] <= ALLOWED[role]]
