"""How many jobs a person may have at once, by their role in the team (accounts.roles.LIMITS)."""

from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from accounts.models import Membership, Team, User
from accounts.roles import LIMITS, Role
from generator.models import Job, QueueAccount, QueueLane, State
from generator.queue.locks import if_free

# Apart, so that the second sees what was claimed by whoever held the first row until now.
LOCK_PERSON = """
SELECT member.id FROM accounts_membership member JOIN generator_queueaccount account
    ON account.team_id = member.team_id AND account.user_id = member.user_id
WHERE account.id = %(account)s {if_free}"""
RUNNING = """
SELECT COUNT(*) FROM generator_job job JOIN generator_queueaccount account
    ON account.team_id = job.team_id AND account.user_id = job.owner_id
WHERE account.id = %(account)s AND job.state = 'running'"""


def room_for(*, team: Team, user: User) -> int | None:
    """How many more jobs of `user` may wait in `team`; None: as many as they like."""
    role = Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()
    limit = LIMITS[Role(role)].queued if role else 0
    if limit is None:
        return None
    mine = QueueLane.objects.filter(account__team=team, account__user=user)
    return max(0, limit - (mine.aggregate(n=Sum("waiting"))["n"] or 0))


def has_room(account: QueueAccount) -> bool:
    """Whether another job of the account's person may run, as their role (`account.role`) allows.

    Until the end of the transaction nobody else claims for them: otherwise two that count at once, one for each
    urgency, would exceed the limit. False also while somebody else does.
    """
    limit = LIMITS[Role(account.role)].running if account.role else None  # who left the team is still served
    if limit is None:
        return True
    values = {"account": account.pk}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_PERSON.format(if_free=if_free("member")), values)
        if cursor.fetchone() is None:
            return False
        cursor.execute(RUNNING, values)
        return cursor.fetchone()[0] < limit


def people_at_their_limit() -> set[tuple[Any, Any]]:
    """(team, person) of whoever has as many jobs running as their role in that team allows."""
    running = Job.objects.filter(state=State.RUNNING).order_by().values_list("team", "owner").annotate(n=Count("pk"))
    busy = {(team, owner): n for team, owner, n in running}
    members = Membership.objects.filter(team__in={team for team, _ in busy}, user__in={owner for _, owner in busy})
    full = set()
    for member in members:
        limit, who = LIMITS[Role(member.role)].running, (member.team_id, member.user_id)
        if limit is not None and busy.get(who, 0) >= limit:
            full.add(who)
    return full
