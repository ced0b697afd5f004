"""Who: people, teams, their roles, invitations, keys and webhooks, and what each has used up."""

from accounts.models.answered import Answered
from accounts.models.api_key import ApiKey
from accounts.models.invitation import Invitation
from accounts.models.team import Membership, Team
from accounts.models.usage import Usage
from accounts.models.user import User
from accounts.models.webhook import Delivery, Webhook, WebhookEvent

__all__ = [
    "Answered",
    "ApiKey",
    "Delivery",
    "Invitation",
    "Membership",
    "Team",
    "Usage",
    "User",
    "Webhook",
    "WebhookEvent",
]
