"""The fair order once more, in plain Python: what the claim is compared with."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

SHARES = {0: 8, 1: 2, 2: 1}


@dataclass
class Node:
    """One node of the tree of shares."""

    share: int = 1
    virtual_time: float = 0.0
    present: float = 0.0


@dataclass
class Asked:
    """One job, as the reference knows it."""

    account: Any  # the row; its numbers are kept here
    cost: float
    family: str
    loads: str
    position: int
    alike: str = ""
    count: int = 1
    company: int = 0
    worker: str = ""
    state: str = "queued"
    lease: Any = None
    charged: float = 0.0
    passed: int = 0


@dataclass
class Turns:
    """Who is next, by start-time fair queueing over urgency, team and person."""

    team_shares: dict[Any, int]
    shares: dict[tuple[Any, Any], int]
    jobs: dict[Any, Asked] = field(default_factory=dict)
    held: set[Any] = field(default_factory=set)
    started: float = 0.0

    def __post_init__(self) -> None:
        self.classes = {urgency: Node(share) for urgency, share in SHARES.items()}
        self.teams: dict[int, Node] = {}
        self.accounts: dict[int, Node] = defaultdict(Node)

    def path(self, account: Any) -> tuple[Node, Node, Node]:
        """Urgency, team and person of an account."""
        team = account.queue_team
        above = self.teams.setdefault(team.pk, Node(self.team_shares[team.team_id]))
        mine = self.accounts.setdefault(account.pk, Node(self.shares[account.team_id, account.user_id]))
        return self.classes[team.queue_class_id], above, mine

    def _key(self, account: Any) -> tuple:
        top, team, person = self.path(account)
        return (
            max(top.virtual_time, self.started),
            account.queue_team.queue_class_id,
            max(team.virtual_time, top.present),
            team.virtual_time,
            account.queue_team_id,
            max(person.virtual_time, team.present),
            person.virtual_time,
            account.pk,
        )

    def in_turn(self, families: tuple[str, ...]) -> list[tuple[Any, Asked]]:
        """(id, job): the next job of each account that has any for such a worker, whose turn it is first."""
        first: dict[int, tuple[Any, Asked]] = {}
        for pk, job in sorted(self.jobs.items(), key=lambda item: item[1].position):
            fits = not families or job.family in families
            if job.state == "queued" and fits and job.account.team_id not in self.held:
                first.setdefault(job.account.pk, (pk, job))
        return sorted(first.values(), key=lambda found: self._key(found[1].account))

    def joins(
        self, leader: Asked, families: tuple[str, ...], pictures: int, bound: int
    ) -> tuple[Any, list[Asked]] | None:
        """(id, the jobs that are passed over) of what is taken along next with `leader`: so many pictures at most."""

        def fits(job: Asked) -> bool:
            same = (job.alike, job.account.queue_team.queue_class_id) == (
                leader.alike,
                leader.account.queue_team.queue_class_id,
            )
            return same and job.company == 0 and job.count <= pictures

        passed: list[Asked] = []
        line = sorted(self.jobs.items(), key=lambda item: item[1].position)
        for pk, first in self.in_turn(families):
            if fits(first):
                return pk, passed
            if first.passed >= bound:
                return None
            passed.append(first)
            for other_pk, other in line:
                if other.account.pk == first.account.pk and other.state == "queued" and fits(other):
                    return other_pk, passed
        return None

    def charge(self, job: Asked) -> None:
        """A claim."""
        top, team, person = self.path(job.account)
        starts = max(top.virtual_time, self.started), max(team.virtual_time, top.present)
        mine = max(person.virtual_time, team.present)
        self.started, top.present, team.present = starts[0], max(top.present, starts[1]), max(team.present, mine)
        for node, start in ((top, starts[0]), (team, starts[1]), (person, mine)):
            node.virtual_time = start + job.cost / node.share
        job.charged = job.cost

    def give_back(self, job: Asked, served: float) -> None:
        """What was not served of it."""
        for node in self.path(job.account):
            node.virtual_time -= (job.charged - served) / node.share
        job.charged = served
