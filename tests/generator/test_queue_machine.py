"""The line against a reference, over any order of what can happen to it: nothing is skipped, lost or done twice."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Membership, Team, User
from generator import queue
from generator.models import Checkpoint, Generation, Hold, Job, State, Worker
from tests.generator.turns import Asked, Turns

WORKERS = {"any": ([], []), "warm": (["a", "b"], ["one"]), "small": (["b"], ["two"])}  # families, loaded
PASSES = 2
PHASES = [Phase.reuse, Phase.generate]  # to shrink a failure would take minutes with a database
Pick = st.integers(0, 10**6)


class Line(RuleBasedStateMachine):
    """Three people in two teams, three workers that differ, and everything that may happen to a job."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        teams = [Team.objects.create(name="One", share=1), Team.objects.create(name="Two", share=3)]
        people = [User.objects.create(email=f"{name}@example.com") for name in "abc"]
        self.members = [(teams[0], people[0], 1), (teams[0], people[1], 2), (teams[1], people[2], 1)]
        for team, user, share in self.members:
            Membership.objects.create(team=team, user=user, role="owner", share=share)
        tomorrow = timezone.now() + timedelta(days=1)
        for name, (families, loaded) in WORKERS.items():
            Worker.objects.create(name=name, families=families, loaded=loaded, seen=tomorrow)
        self.checkpoint = Checkpoint.objects.create(slug="one", name="One", source="none")
        self.turns = Turns(
            {team.pk: team.share for team in teams}, {(team.pk, user.pk): share for team, user, share in self.members}
        )
        self.old_leases: list[tuple[Job, uuid.UUID]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(counts=st.lists(st.integers(1, 3), min_size=3, max_size=9))
    def begin(self, counts: list[int]) -> None:
        """Some wait for the same model from the beginning."""
        for number, count in enumerate(counts):
            self._ask(number % 3, 0, 10, "b", "one" if number % 4 else "two", count)

    # --- what may happen --------------------------------------------------------------------------------------------

    @rule(
        who=st.integers(0, 2),
        urgency=st.sampled_from([0, 0, 1, 2]),
        cost=st.integers(1, 100),
        family=st.sampled_from("ab"),
        loads=st.sampled_from(["one", "two", ""]),
        count=st.integers(1, 3),
        times=st.integers(1, 3),
    )
    def ask(self, who: int, urgency: int, cost: int, family: str, loads: str, count: int, times: int) -> None:
        """Somebody wants something, once or more often; what needs the same model can be made together."""
        for _n in range(times):
            self._ask(who, urgency, cost, family, loads, count)

    def _ask(self, who: int, urgency: int, cost: int, family: str, loads: str, count: int) -> None:
        team, user, _share = self.members[who]
        account = queue.open_account(team=team, user=user, urgency=urgency)
        position = max((job.position for job in self.turns.jobs.values()), default=0) + 1
        job = Job(account=account, team=team, owner=user, urgency=urgency, position=position, cost=cost)
        job.family, job.loads, job.alike = family, loads, loads
        queue.enter([job])
        picture = {"prompt": "-", "width": 64, "height": 64, "steps": 1, "seed": 0, "count": count}
        Generation.objects.create(job=job, checkpoint=self.checkpoint, **picture)
        self.turns.jobs[job.pk] = Asked(account, float(cost), family, loads, position, alike=job.alike, count=count)

    @rule(name=st.sampled_from(sorted(WORKERS)))
    def claim(self, name: str) -> None:
        """A worker has room."""
        self._claim(name)

    def _claim(self, name: str) -> Job | None:
        """It gets what is in turn, or what it is warm for while nobody was passed over too often."""
        families, loaded = WORKERS[name]
        turns = self.turns.in_turn(tuple(families))
        job = queue.claim(worker=name)
        assert (job is None) == (not turns)
        if job is None:
            return None
        got = self.turns.jobs[job.pk]
        if job.pk != turns[0][0]:
            self._check_affinity(job.pk, got, turns, loaded)
        self._runs(got, job, name)
        assert not families or got.family in families
        return job

    def _runs(self, got: Asked, job: Job, name: str) -> None:
        assert got.state == "queued"
        assert got.account.team_id not in self.turns.held
        self.turns.charge(got)
        got.state, got.lease, got.worker = "running", job.lease, name

    @rule(name=st.sampled_from(sorted(WORKERS)), pictures=st.integers(2, 6), alone=st.booleans())
    def claim_several(self, name: str, pictures: int, alone: bool) -> None:
        """A worker has room for more in one call: it takes along what is like its job, while nobody else has time, or
        all others are paused."""
        if (job := self._claim(name)) is None:
            return
        others = Worker.objects.exclude(pk=name)
        others.update(is_paused=alone)
        together = queue.gather(job, worker=name, pictures=pictures)
        others.update(is_paused=False)
        leader = self.turns.jobs[job.pk]
        left = pictures - leader.count
        expected = [job.pk]
        while self._may_lead(leader, name, alone) and (found := self._joins(leader, name, left)):
            pk, passed = found
            follower = self.turns.jobs[pk]
            for one in passed:
                one.passed += 1
            self._runs(follower, together[len(expected)], name)
            expected.append(pk)
            left -= follower.count
        assert [one.pk for one in together] == expected
        if len(expected) > 1:
            for pk in expected:
                self.turns.jobs[pk].company = len(expected)

    def _joins(self, leader: Asked, name: str, left: int) -> tuple[uuid.UUID, list[Asked]] | None:
        return self.turns.joins(leader, tuple(WORKERS[name][0]), left, PASSES) if left > 0 else None

    def _may_lead(self, job: Asked, name: str, alone: bool) -> bool:
        busy = {one.worker for one in self.turns.jobs.values() if one.state == "running"}
        idle = [families for other, (families, _loaded) in WORKERS.items() if other != name and other not in busy]
        is_wanted = not alone and any(not families or job.family in families for families in idle)
        return bool(job.alike) and job.company != queue.ALONE and not is_wanted

    def _check_affinity(
        self, pk: uuid.UUID, got: Asked, turns: list[tuple[uuid.UUID, Asked]], loaded: list[str]
    ) -> None:
        assert loaded
        assert got.loads in ("", *loaded)
        for first_pk, first in turns:
            if first_pk == pk:
                break
            first.passed += 1
            assert first.passed <= PASSES
            assert first.loads not in ("", *loaded)
            if first.account.pk == got.account.pk:
                break

    @rule(pick=Pick, to=st.sampled_from([State.DONE, State.FAILED, State.CANCELLED, State.QUEUED, State.PAUSED]))
    def leave(self, pick: int, to: State) -> None:
        """A worker ends its job, or puts it back."""
        if found := self._pick(pick, "running"):
            pk, asked = found
            served = asked.cost if to == State.DONE else float(pick % 3)
            assert Job.objects.get(pk=pk).move(to, was_lease=asked.lease, served=served)
            self._left(pk, asked, to, served)

    @rule(pick=Pick)
    def lose_worker(self, pick: int) -> None:
        """A lease runs out; whoever held it can write nothing any more."""
        if found := self._pick(pick, "running"):
            pk, asked = found
            was = Job.objects.get(pk=pk)
            Job.objects.filter(pk=pk).update(lease_expires=timezone.now() - timedelta(seconds=1), attempts=0)
            assert [job.pk for job in queue.recover()] == [pk]
            self.old_leases.append((was, asked.lease))
            company = queue.ALONE if asked.company > queue.ALONE else asked.company
            self._left(pk, asked, State.QUEUED, 0.0)
            asked.company = company

    def _left(self, pk: uuid.UUID, asked: Asked, to: State, served: float) -> None:
        self.turns.give_back(asked, served)
        asked.state, asked.lease = str(to), None
        if asked.company > queue.ALONE and to in (State.QUEUED, State.PAUSED):
            asked.company = 0

    @precondition(lambda self: self.old_leases)
    @rule(pick=Pick)
    def write_late(self, pick: int) -> None:
        """A worker wakes up after its lease was given away."""
        job, lease = self.old_leases[pick % len(self.old_leases)]
        assert queue.renew(lease=lease) is None
        assert not Job.objects.holding(lease).exists()
        job.state = State.RUNNING
        assert not job.move(State.DONE, was_lease=lease)

    @rule(pick=Pick, to=st.sampled_from([State.PAUSED, State.CANCELLED]))
    def stop_waiting(self, pick: int, to: State) -> None:
        """Somebody pauses or cancels a waiting job."""
        if found := self._pick(pick, "queued"):
            assert Job.objects.get(pk=found[0]).move(to)
            found[1].state = str(to)

    @rule(pick=Pick)
    def resume(self, pick: int) -> None:
        """A paused job goes back to its place."""
        if found := self._pick(pick, "paused"):
            assert Job.objects.get(pk=found[0]).move(State.QUEUED)
            found[1].state = "queued"

    @rule(pick=Pick, other=Pick)
    def reorder(self, pick: int, other: int) -> None:
        """A job goes before another of its account."""
        one, two = self._pick(pick, "queued"), self._pick(other, "queued")
        if one and two and one[0] != two[0] and one[1].account.pk == two[1].account.pk:
            assert queue.move([Job.objects.get(pk=one[0])], before=Job.objects.get(pk=two[0]))
            for pk, position in Job.objects.values_list("pk", "position"):
                self.turns.jobs[pk].position = position
            line = [pk for pk, job in self._sorted() if job.account.pk == one[1].account.pk and job.state == "queued"]
            assert line.index(two[0]) == line.index(one[0]) + 1

    @rule(number=st.integers(0, 1))
    def hold_or_release(self, number: int) -> None:
        """A team rests, or goes on."""
        team = self.members[number * 2][0]
        if team.pk in self.turns.held:
            Hold.objects.filter(team=team).delete()
            self.turns.held.remove(team.pk)
        else:
            Hold.objects.create(scope=Hold.Scope.TEAM, team=team)
            self.turns.held.add(team.pk)

    def _sorted(self) -> list[tuple[uuid.UUID, Asked]]:
        return sorted(self.turns.jobs.items(), key=lambda item: item[1].position)

    def _pick(self, number: int, state: str) -> tuple[uuid.UUID, Asked] | None:
        found = [item for item in self._sorted() if item[1].state == state]
        return found[number % len(found)] if found else None

    # --- what is always true ----------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_or_owned_twice(self) -> None:
        """Every job stands where the reference has it, with the lease that its only owner holds."""
        rows = {
            row[0]: row[1:] for row in Job.objects.values_list("pk", "state", "lease", "charged", "passed", "company")
        }
        expected = {
            pk: (job.state, job.lease, job.charged, job.passed, job.company) for pk, job in self.turns.jobs.items()
        }
        assert rows == expected
        leases = [lease for _state, lease, _charged, _passed, _company in rows.values() if lease]
        assert len(leases) == len(set(leases))

    @invariant()
    def counts_are_true(self) -> None:
        """Nothing for the audit to correct."""
        assert queue.audit() == 0


@pytest.mark.django_db
def test_the_line_does_what_the_reference_says(settings_of_queue):
    run_state_machine_as_test(
        Line,
        settings=settings(
            max_examples=16,
            stateful_step_count=40,
            phases=PHASES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_of_queue(settings):
    """A bound that short runs reach."""
    settings.QUEUE_AFFINITY_CLAIMS = PASSES
    settings.QUEUE_AFFINITY_SECONDS = 3600
