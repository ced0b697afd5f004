"""The questions of a claim, in plain SQL: building them takes the ORM longer than the database takes to answer.

The main one is written so that the database looks at one account after the other, in turn, and stops when it has
enough: its innermost list only sorts accounts, and whatever reads lanes or jobs stands outside of that.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from generator.models import Hold, Job, QueueAccount
from generator.models.plain import greatest
from generator.queue.capabilities import Ability
from generator.queue.company import Like
from generator.queue.locks import if_free

EVERYBODY = 10**9
Holds = tuple[tuple[str, Any, Any], ...]  # scope, team, user of each

STANDING = """
SELECT worker.kinds, worker.families, worker.memory, worker.loaded, worker.is_paused,
    hold.scope, hold.team_id, hold.user_id
FROM (SELECT 1 AS one) always
LEFT JOIN generator_worker worker ON worker.name = %(worker)s
LEFT JOIN generator_hold hold ON hold.scope <> %(other)s"""

TURNS = """
SELECT head.*, member.role AS role, member.share AS share,
    job.passed >= %(claims)s OR COALESCE(job.passed_since <= %(patience)s, FALSE) AS first_due,
    {wanted} AS first_is_wanted, ({any_wanted} LIMIT 1) IS NOT NULL AS has_wanted
FROM (
    SELECT line.*, (
        SELECT id FROM generator_job job WHERE job.account_id = line.id AND {waits} ORDER BY position LIMIT 1
    ) AS first
    FROM (
        SELECT account.id AS id, account.queue_team_id AS queue_team_id, account.team_id, account.user_id,
            account.virtual_time AS virtual_time,
            {greatest}(class.virtual_time, (SELECT MAX(started) FROM generator_queueclass)) AS class_turn,
            {greatest}(above.virtual_time, class.present) AS team_turn,
            {greatest}(account.virtual_time, above.present) AS turn,
            team.share AS team_share, above.queue_class_id AS urgency, above.virtual_time AS team_time
        FROM generator_queueaccount account
        JOIN generator_queueteam above ON above.id = account.queue_team_id
        JOIN generator_queueclass class ON class.urgency = above.queue_class_id
        JOIN accounts_team team ON team.id = above.team_id
        WHERE {may}
        ORDER BY {order} LIMIT %(everybody)s
    ) line
    WHERE (SELECT 1 FROM generator_queuelane lane
            WHERE lane.account_id = line.id AND lane.waiting > 0 AND {suits} LIMIT 1) IS NOT NULL
    ORDER BY {order} LIMIT %(everybody)s
) head
JOIN generator_job job ON job.id = head.first
LEFT JOIN accounts_membership member ON member.team_id = head.team_id AND member.user_id = head.user_id
ORDER BY {order} LIMIT %(most)s"""
ORDER = "class_turn, urgency, team_turn, team_time, queue_team_id, turn, virtual_time, id"  # as QueueAccount.in_turn

ANY_WARM = """SELECT 1 FROM generator_queuelane lane
    WHERE lane.account_id = head.id AND lane.waiting > 0 AND {suits} AND lane.loads IN {warm}"""
ANY_LIKE = "SELECT 1 FROM generator_job job WHERE job.account_id = head.id AND {waits} AND {like}"
LIKE = """(job.alike = %(alike)s AND job.urgency = %(urgency)s AND job.company = 0 AND %(pictures)s >= (
    SELECT count FROM generator_generation asked WHERE asked.job_id = job.id))"""

NEXT = """
SELECT job.* FROM generator_job job JOIN generator_queueaccount account ON account.id = job.account_id
WHERE {which} AND job.state = 'queued' ORDER BY job.position LIMIT 1 {if_free}"""

# All of them or none.
OVERTAKE = """
UPDATE generator_job SET passed = passed + 1, passed_since = COALESCE(passed_since, %(now)s)
WHERE id IN (
    WITH patient AS (
        SELECT id FROM generator_job job WHERE id IN {passed} AND state = 'queued'
            AND passed < %(claims)s AND COALESCE(passed_since > %(patience)s, TRUE) {if_free}
    )
    SELECT id FROM patient WHERE (SELECT COUNT(*) FROM patient) = %(number)s
)"""


def standing(worker: str) -> tuple[Ability, Holds]:
    """What the worker of this name has said of itself, and all that is held."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"worker": worker, "other": Hold.Scope.WORKER})
        rows = cursor.fetchall()
    kinds, families, memory, loaded, is_paused = rows[0][:5]
    holds = tuple(row[5:] for row in rows if row[5])
    if memory is None:  # it has said nothing
        return Ability(), holds
    said = (tuple(json.loads(kinds)), tuple(json.loads(families)), memory, tuple(json.loads(loaded)))
    return Ability(*said, is_paused=bool(is_paused)), holds


@dataclass(frozen=True)
class Questions:
    """What one worker asks at one moment."""

    ability: Ability
    holds: Holds
    claims: int  # how often, and since when a job may have been passed over
    patience: datetime
    now: datetime
    like: Like | None = None  # what it looks for to join a job; without, it prefers what it is warm for

    def turns(self, *, most: int, without: Sequence[int] = ()) -> list[QueueAccount]:
        """The accounts whose jobs it may have, in turn, each with its next job, whether that or any other of it is what
        the worker would rather have, and its person's role and share. Limits are not looked at."""
        values = {**self._values, "most": most, "everybody": EVERYBODY}
        may = ["1 = 1"]
        if without:
            may.append(f"account.id NOT IN {_list('without', without, values)}")
        for number, (scope, team, user) in enumerate(self.holds):
            values |= {f"team{number}": team, f"user{number}": user}
            person = f" AND account.user_id = %(user{number})s" if scope == Hold.Scope.PERSON else ""
            may.append(f"NOT (account.team_id = %(team{number})s{person})")
        suits, waits, wanted = self._suits("lane", values), self._waits(values), self._wanted(values)
        warm = _list("warm", ("", *self.ability.warm), values)
        any_wanted = ANY_LIKE.format(waits=waits, like=LIKE) if self.like else ANY_WARM.format(suits=suits, warm=warm)
        question = TURNS.format(
            waits=waits,
            suits=suits,
            wanted=wanted,
            any_wanted=any_wanted,
            greatest=greatest(),
            may=" AND ".join(may),
            order=ORDER,
        )
        return list(QueueAccount.objects.raw(question, values))

    def lock_first(self, account: QueueAccount) -> Job | None:
        """The next job of an account, locked with it. None where somebody else is at work, or it waits no longer."""
        return self._lock("job.id = %(first)s", account, {"first": account.first})

    def lock_wanted(self, account: QueueAccount) -> Job | None:
        """The next of an account that the worker would rather have."""
        values = {**self._values, "account": account.pk}
        which = f"job.account_id = %(account)s AND {self._wanted(values)} AND {self._waits(values)}"
        return self._lock(which, account, values)

    def _lock(self, which: str, account: QueueAccount, values: dict[str, Any]) -> Job | None:
        question = NEXT.format(which=which, if_free=if_free("job", "account"))
        for job in Job.objects.raw(question, values):
            job.account = account
            return job
        return None

    def pass_over(self, jobs: Sequence[Any]) -> bool:
        """Counts that these were passed over. False, and nothing is counted, where one of them may not be, waits no
        longer, or is somebody else's at this moment."""
        values = {**self._values, "number": len(jobs)}
        with connection.cursor() as cursor:
            cursor.execute(OVERTAKE.format(passed=_list("passed", jobs, values), if_free=if_free("job")), values)
            return cursor.rowcount == len(jobs)

    @cached_property
    def _values(self) -> dict[str, Any]:
        adapted = connection.ops.adapt_datetimefield_value
        return {"now": adapted(self.now), "claims": self.claims, "patience": adapted(self.patience)}

    def _wanted(self, values: dict[str, Any]) -> str:
        """What loads nothing here, or may join the job at hand."""
        if self.like is None:
            return f"job.loads IN {_list('warm', ('', *self.ability.warm), values)}"
        values |= {"alike": self.like.alike, "urgency": self.like.urgency, "pictures": self.like.pictures}
        return LIKE

    def _waits(self, values: dict[str, Any]) -> str:
        """The jobs that wait, may start now, and can run on this worker."""
        due = "(job.not_before IS NULL OR job.not_before <= %(now)s)"
        return f"job.state = 'queued' AND {due} AND {self._suits('job', values)}"

    def _suits(self, table: str, values: dict[str, Any]) -> str:
        """The jobs, or lanes of jobs, that can run on it. The same as Ability.can_run."""
        can = ["1 = 1"]
        if self.ability.kinds:
            can.append(f"{table}.kind IN {_list('kind', self.ability.kinds, values)}")
        if self.ability.families:
            can.append(f"{table}.family IN {_list('family', ('', *self.ability.families), values)}")
        if self.ability.memory:
            can.append(f"{table}.memory <= %(memory)s")
            values["memory"] = self.ability.memory
        return " AND ".join(can)


def _list(name: str, items: Sequence[Any], values: dict[str, Any]) -> str:
    """`(%(name0)s, ...)` for an IN, with the items among the values."""
    values |= {f"{name}{number}": item for number, item in enumerate(items)}
    return f"({', '.join(f'%({name}{number})s' for number in range(len(items)))})"
