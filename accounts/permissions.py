"""`can()`: the Python side of the role × action table. The SQL side is `Team.objects.where`."""

from accounts.models import Team
from accounts.roles import Action


def can(user, action: Action, team: Team | object) -> bool:
    """Whether `user` may do `action` in `team` (a Team or its id), asked of the database at this moment.

    On a page that only shows, of what was read when it began (User.keep_roles).
    """
    pk, teams = getattr(team, "pk", team), Team.objects.pks_where(user, action)
    return pk in teams if isinstance(teams, list) else teams.filter(team=pk).exists()
