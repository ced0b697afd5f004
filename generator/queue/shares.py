"""Who is served how much: start-time fair queueing (Goyal, Vin & Cheng, 1996), once for each level of the tree.

Urgencies share the workers by settings.QUEUE_SHARES, the teams of one urgency by Team.share, the people of one team by
Membership.share, each by cost. A node starts at the greater of its own virtual time and its siblings' present, and the
least start goes first; it then pays cost / share. What was not served is given back when the job leaves its worker.
"""

from accounts.models import Team, User
from generator.models import QueueAccount, QueueClass, QueueTeam


def open_account(*, team: Team, user: User, urgency: int = 0) -> QueueAccount:
    """The account of a new job; its row, and those above it, are made when they are first needed."""
    known = QueueAccount.objects.filter(queue_team__queue_class=urgency, queue_team__team=team, user=user).first()
    if known:
        return known
    QueueClass.objects.get_or_create(pk=urgency)
    above, _created = QueueTeam.objects.get_or_create(queue_class_id=urgency, team=team)
    account, _created = QueueAccount.objects.get_or_create(queue_team=above, user=user, defaults={"team": team})
    return account
