"""The tree of shares in memory: the order that claims will follow, without asking the database for each.

The same rules as QueueAccount.in_turn and .charge; tests/generator/queue/test_outlook.py holds the two together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings

from accounts.models import Membership
from accounts.roles import LIMITS, Role
from generator.models import QueueAccount, QueueClass


@dataclass
class Node:
    """An urgency, a team or a person: what `share` of its parent's service it has, and where it stands."""

    key: int
    share: float
    virtual_time: float
    present: float = 0.0
    children: list["Node"] = field(default_factory=list)
    owner: tuple[object, int] | None = None  # (team, person) of a leaf
    limit: int | None = None  # how many of a leaf's jobs may run at once

    def turn(self, present: float) -> float:
        """Its virtual time at a start now: nobody saves up credit while resting."""
        return max(self.virtual_time, present)


class Tree:
    """All accounts with waiting jobs."""

    def __init__(self, accounts: list[int]) -> None:
        """Reads these accounts, all that is above them, and where service stands."""
        self.started = max(QueueClass.objects.values_list("started", flat=True), default=0.0)
        self.classes: list[Node] = []
        self.paths: dict[int, tuple[Node, Node, Node]] = {}
        nodes: dict[tuple[str, int], Node] = {}
        rows = QueueAccount.objects.filter(pk__in=accounts).select_related(
            "queue_team__queue_class", "queue_team__team"
        )
        found = list(rows.order_by("pk"))
        members = {
            (one.team_id, one.user_id): one
            for one in Membership.objects.filter(
                team__in={row.team_id for row in found}, user__in={row.user_id for row in found}
            )
        }
        for row in found:
            team, of = row.queue_team, row.queue_team.queue_class
            if ("class", of.pk) not in nodes:
                share = settings.QUEUE_SHARES[of.pk]
                nodes["class", of.pk] = Node(of.pk, share, of.virtual_time, of.present)
                self.classes.append(nodes["class", of.pk])
            if ("team", team.pk) not in nodes:
                nodes["team", team.pk] = Node(team.pk, team.team.share, team.virtual_time, team.present)
                nodes["class", of.pk].children.append(nodes["team", team.pk])
            leaf = Node(row.pk, 1, row.virtual_time, owner=(row.team_id, row.user_id))
            if member := members.get((row.team_id, row.user_id)):
                leaf.share, leaf.limit = member.share, LIMITS[Role(member.role)].running
            nodes["team", team.pk].children.append(leaf)
            self.paths[row.pk] = (nodes["class", of.pk], nodes["team", team.pk], leaf)

    def in_turn(self) -> Iterator[Node]:
        """The accounts, the next to be served first."""
        for of in sorted(self.classes, key=lambda node: (node.turn(self.started), node.key)):
            for team in sorted(of.children, key=lambda node: (node.turn(of.present), node.virtual_time, node.key)):
                yield from sorted(
                    team.children, key=lambda node: (node.turn(team.present), node.virtual_time, node.key)
                )

    def charge(self, account: int, cost: float) -> None:
        """Person, team and urgency pay for a claim."""
        of, team, leaf = self.paths[account]
        of_turn, team_turn, leaf_turn = of.turn(self.started), team.turn(of.present), leaf.turn(team.present)
        leaf.virtual_time = leaf_turn + cost / leaf.share
        team.virtual_time = team_turn + cost / team.share
        team.present = max(team.present, leaf_turn)
        of.virtual_time = of_turn + cost / of.share
        of.present = max(of.present, team_turn)
        self.started = max(self.started, of_turn)

    def drop(self, account: int) -> None:
        """An account that has nothing more waiting is not asked again; nor a team or urgency without accounts."""
        of, team, leaf = self.paths[account]
        team.children.remove(leaf)
        if not team.children:
            of.children.remove(team)
        if not of.children:
            self.classes.remove(of)
