"""Who: people, teams, their roles, invitations, and what each has used up."""

from accounts.models.invitation import Invitation
from accounts.models.team import Membership, Team
from accounts.models.usage import Usage
from accounts.models.user import User

__all__ = ["Invitation", "Membership", "Team", "Usage", "User"]
