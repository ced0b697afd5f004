"""`can()`: the Python side of the role × action table. The SQL side is `Team.objects.where`."""

from accounts.models import Team
from accounts.roles import Action


def can(user, action: Action, team: Team | object) -> bool:
    """Whether `user` may do `action` in `team` (a Team or its id), asked of the database at this moment."""
    return Team.objects.where(user, action).filter(pk=getattr(team, "pk", team)).exists()
