"""The queue and the workers over the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from generator import queue, services
from generator.models import Worker
from generator.queue import lately


@pytest.fixture
def worker(db) -> Worker:
    """One that lives."""
    return Worker.objects.create(name="w1", kinds=["image"], families=["starter"], memory=8000, memory_free=6000)


def test_what_runs_and_waits(calls, alice, bob, make_job, worker):
    running, waiting = make_job(bob, prompt="a pear"), make_job(bob, prompt="a plum")
    make_job(bob, visibility="private")
    assert queue.claim(worker="w1").pk == running.pk
    body = calls(alice).get("/api/v1/queue").json()
    assert [line["id"] for line in body["running"]] == [str(running.pk)]
    assert [line["id"] for line in body["waiting"]] == [str(waiting.pk)]
    assert body["others"] == {"running": 0, "waiting": 1}
    assert (body["waiting_total"], body["workers_ready"], body["held"]) == (1, 1, [])
    line = body["waiting"][0]
    assert (line["stands_for"], line["now"]["position"]) == (1, 0)
    assert line["now"]["eta"] is not None


def test_it_asks_the_same_however_many_wait(calls, alice, bob, studio, make_job, worker):
    client, first = calls(alice), make_job(alice)
    services.hold_person(user=alice, team=studio, person=bob)
    with CaptureQueriesContext(connection) as few:
        client.get("/api/v1/queue")
    for person in (alice, bob):
        for _n in range(8):
            make_job(person)
    with CaptureQueriesContext(connection) as many:
        waiting = client.get("/api/v1/queue").json()["waiting"]
    assert waiting[0]["id"] == str(first.pk)
    assert [line["owner"]["name"] for line in waiting] == ["Alice"] * 9 + ["Bob"] * 6
    assert len(many) <= len(few) + 4, "but for what is held, with its team and people"


def test_why_nothing_starts(calls, alice, bob, charlie, studio, make_job, worker):
    make_job(bob)
    services.hold_team(user=alice, team=studio, reason="Stocktaking.")
    assert "Stocktaking." in calls(bob).get("/api/v1/queue").json()["held"][0]
    assert calls(charlie).get("/api/v1/queue").json()["held"] == []


def test_workers_are_for_administrators(calls, alice, worker):
    assert calls(alice).get("/api/v1/workers").status_code == 403
    root = User.objects.create_superuser("root@example.com", "a rather long password")
    (told,) = calls(root).get("/api/v1/workers").json()
    assert (told["name"], told["is_alive"], told["memory"]) == ("w1", True, 8000)


def test_what_was_worked_out_lately_is_told_while_it_is_true(calls, alice, bob, studio, make_job, worker, monkeypatch):
    """And to the same person only: bob's private job is in no answer but his."""
    monkeypatch.setattr(lately, "SECONDS", 3600)
    job, private = make_job(bob), make_job(bob, visibility="private")
    hers, his = calls(alice), calls(bob)

    def told(client) -> list[str]:
        return [line["id"] for line in client.get("/api/v1/queue").json()["waiting"]]

    for _twice in range(2):
        assert told(hers) == [str(job.pk)]
        assert told(his) == [str(job.pk), str(private.pk)]
    with CaptureQueriesContext(connection) as again:
        told(his)
    assert len(again) <= 5, "the key, the roles, and what the queue is at this moment"
    services.cancel_job(user=bob, job=private)
    assert told(his) == [str(job.pk)]
    later = make_job(bob)
    assert told(hers) == [str(job.pk), str(later.pk)]
    services.move_job(user=bob, job=later, before=job)
    assert told(hers) == told(his) == [str(later.pk), str(job.pk)]
    services.hold_person(user=alice, team=studio, person=bob)
    assert his.get("/api/v1/queue").json()["held"]
    Membership.objects.filter(user=alice, team=studio).delete()
    assert told(hers) == []
