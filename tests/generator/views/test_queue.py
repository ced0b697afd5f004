"""The queue page: who sees what of it, what is only counted, what stands still and why, and who may change it."""

import re

import pytest
from django.utils import timezone

from accounts.models import User
from generator import queue, services
from generator.board import LINES, Board
from generator.models import Batch, Hold, Job, State, Worker
from tests.people import PASSWORD


@pytest.fixture
def worker(db) -> Worker:
    """One that lives and can do everything."""
    return Worker.objects.create(
        name="w1",
        device="cpu",
        kinds=["image"],
        families=["starter"],
        memory=8000,
        memory_free=6000,
        loaded=["starter"],
    )


@pytest.fixture
def root(studio) -> User:
    """An administrator, in no team but their own."""
    return User.objects.create_superuser("root@example.com", PASSWORD, name="Ada")


def _page(client) -> str:
    return client.get("/queue/").content.decode()


def _titles(page: str) -> list[str]:
    return re.findall(r'<p class="line-title"[^>]*><a [^>]*>([^<]+)</a>', page)


def test_ones_own_come_first_and_what_is_private_is_only_counted(as_, alice, bob, victor, make_job, worker):
    make_job(bob, prompt="a pear")
    make_job(bob, prompt="a secret", visibility="private")
    make_job(alice, prompt="a plum")
    assert _titles(_page(as_(alice))) == ["a plum", "a pear"]
    page = _page(as_(victor))
    assert set(_titles(page)) == {"a pear", "a plum"}
    assert "secret" not in page
    assert "1 job of others waits too" in page
    page = _page(as_(bob))
    assert _titles(page) == ["a pear", "a secret", "a plum"]
    assert "of others" not in page


def test_other_teams_are_only_counted(as_, bob, charlie, make_job, worker):
    make_job(charlie, team=charlie.personal_team, prompt="abroad")
    page = _page(as_(bob))
    assert "abroad" not in page
    assert "1 job of others waits too" in page
    assert "Nothing is waiting" not in page


def test_what_runs_is_told_apart(as_, alice, bob, make_job, worker):
    make_job(bob, prompt="a pear")
    make_job(bob, prompt="a plum")
    queue.claim(worker="w1")
    running, waiting = _page(as_(alice)).split('id="waiting-title"')
    assert _titles(running) == ["a pear"]
    assert _titles(waiting) == ["a plum"]


def test_an_empty_queue_says_so_and_offers_the_first_step(as_, alice, worker):
    page = _page(as_(alice))
    assert "Nothing is waiting" in page
    assert "1 worker ready" in page
    assert "No worker is ready" not in page


def test_it_says_when_no_worker_is_there(as_, alice, make_job):
    make_job(alice)
    assert "No worker is ready" in _page(as_(alice))


@pytest.mark.parametrize(
    ("who", "offers"),
    [
        ("alice", {"Pause the team", "Pause mine"}),
        ("bob", {"Pause mine"}),
        ("victor", set()),
        ("root", {"Pause everything", "Workers"}),
    ],
)
def test_it_offers_only_what_one_may(request, as_, bob, alice, make_job, worker, who, offers):
    user = request.getfixturevalue(who)
    make_job(bob)
    make_job(alice)
    page = _page(as_(user))
    assert {
        words for words in ("Pause the team", "Pause mine", "Pause everything", "Workers") if words in page
    } == offers


def test_a_job_is_paused_resumed_and_cancelled(as_, bob, make_job, worker):
    job, client = make_job(bob), as_(bob)
    answer = client.post(f"/queue/jobs/{job.pk}/pause/", headers={"HX-Request": "true"}).content.decode()
    job.refresh_from_db()
    assert job.state == State.PAUSED
    assert f"/queue/jobs/{job.pk}/resume/" in answer.split("hx-swap-oob")[1]  # the way back
    client.post(f"/queue/jobs/{job.pk}/resume/")
    job.refresh_from_db()
    assert job.state == State.QUEUED
    client.post(f"/queue/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def _order(user) -> list[str]:
    jobs = Job.objects.filter(owner=user, state__in=["queued", "paused"]).order_by("position")
    return [job.generation.prompt for job in jobs]


def test_the_order_is_changed(as_, alice, bob, make_job, worker):
    a, _b, c = (make_job(bob, prompt=name) for name in "abc")
    client = as_(bob)
    client.post(f"/queue/jobs/{c.pk}/move/", {"before": a.pk})
    assert _order(bob) == ["c", "a", "b"]
    as_(alice).post(f"/queue/jobs/{a.pk}/move/", {"before": ""})
    assert _order(bob) == ["c", "b", "a"]
    assert _titles(_page(client)) == ["c", "b", "a"]


def test_the_menu_names_the_places(as_, bob, studio, make_job, worker):
    a, b, c = (make_job(bob, prompt=name) for name in "abc")
    first, second, third = (line.moves for line in Board(bob, studio).rows[0].lines)
    assert first == {"down": str(c.pk), "end": ""}
    assert second == {"front": str(a.pk), "up": str(a.pk), "down": "", "end": ""}
    assert third == {"front": str(a.pk), "up": str(b.pk)}


def test_a_stranger_to_the_line_is_no_place(as_, alice, bob, make_job, worker):
    job, other = make_job(bob), make_job(alice)
    answer = as_(bob).post(f"/queue/jobs/{job.pk}/move/", {"before": other.pk}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert b"same person" in answer.content


def test_who_may_hold_a_team_and_a_person(as_, alice, bob, victor, charlie, studio, make_job, worker):
    make_job(bob)
    team = {"scope": "team", "team": studio.pk, "reason": "Stocktaking."}
    person = {"scope": "person", "team": studio.pk, "person": bob.pk}
    for user in (bob, victor):
        assert as_(user).post("/queue/holds/", team).status_code == 403
    assert as_(victor).post("/queue/holds/", person).status_code == 403
    as_(charlie).post("/queue/holds/", team)
    as_(alice).post("/queue/holds/", {**person, "person": charlie.pk})
    assert not Hold.objects.exists()
    as_(alice).post("/queue/holds/", team)
    as_(bob).post("/queue/holds/", person)
    assert {hold.scope for hold in Hold.objects.all()} == {"team", "person"}
    assert "Stocktaking." in _page(as_(bob))


def test_everything_is_held_and_let_go_on(as_, root, bob, make_job, worker):
    make_job(bob)
    client = as_(root)
    client.post("/queue/holds/", {"scope": "everything", "drain": "on"})
    hold = Hold.objects.get()
    assert hold.is_drain
    assert "about to be updated" in _page(as_(bob))
    assert "Nothing runs any more" in _page(client)
    assert queue.claim(worker="w1") is None
    client.post(f"/queue/holds/{hold.pk}/release/")
    assert queue.claim(worker="w1") is not None


def test_a_worker_is_held(as_, root, worker):
    client = as_(root)
    client.post("/queue/holds/", {"scope": "worker", "worker": "w1"})
    worker.refresh_from_db()
    assert worker.is_paused
    assert "paused" in _page(client)
    client.post(f"/queue/holds/{Hold.objects.get().pk}/release/")
    worker.refresh_from_db()
    assert not worker.is_paused


def test_what_ended_last_is_listed(as_, alice, bob, make_job, worker):
    job = make_job(bob, prompt="a pear")
    services.cancel_job(user=bob, job=job)
    page = _page(as_(alice))
    assert _titles(page) == ["a pear"]
    assert "Nothing is waiting" in page


def test_a_long_line_is_shown_in_part_and_counted_in_full(as_, bob, make_job, worker):
    for seed in range(LINES + 3):
        make_job(bob, seed=seed)
    page = _page(as_(bob))
    assert len(_titles(page)) == LINES
    assert "and 3 more" in page


def test_a_silent_worker_is_not_ready(as_, root, worker):
    Worker.objects.update(seen=timezone.now() - timezone.timedelta(minutes=5))
    assert "not heard of" in _page(as_(root))


def _batch(user, team, make_job, name: str, prompts: str) -> Batch:
    batch = Batch.objects.create(team=team, owner=user, name=name)
    batch.jobs.add(*(make_job(user, prompt=prompt) for prompt in prompts))
    return batch


def test_a_batch_is_one_line_with_its_progress(as_, bob, studio, make_job, worker):
    batch = _batch(bob, studio, make_job, "Fruit", "abcd")
    first, *_rest = batch.jobs.order_by("position")
    services.cancel_job(user=bob, job=first)
    (line,) = Board(bob, studio).rows[0].lines
    assert (line.title, line.waiting, line.ended, line.total) == ("Fruit", 3, 1, 4)
    assert "3 jobs wait, 1 of 4 have ended" in _page(as_(bob))


def test_a_batch_is_moved_paused_and_cancelled_as_one(as_, bob, studio, make_job, worker):
    _batch(bob, studio, make_job, "Fruit", "ab")
    later = _batch(bob, studio, make_job, "Nuts", "cd")
    make_job(bob, prompt="e")
    client = as_(bob)
    client.post(f"/queue/batches/{later.pk}/move/", {"before": Job.objects.get(generation__prompt="a").pk})
    assert _order(bob) == ["c", "d", "a", "b", "e"]
    client.post(f"/queue/batches/{later.pk}/move/", {"before": ""})
    assert _order(bob) == ["a", "b", "e", "c", "d"]
    client.post(f"/queue/batches/{later.pk}/pause/")
    assert Board(bob, studio).rows[0].lines[-1].is_paused
    client.post(f"/queue/batches/{later.pk}/resume/")
    assert not Board(bob, studio).rows[0].lines[-1].is_paused
    client.post(f"/queue/batches/{later.pk}/cancel/")
    assert _titles(_page(client).split('id="finished-title"')[0]) == ["Fruit", "e"]


def test_there_is_always_room_for_a_batch_between_two_jobs(bob, studio, make_job, worker):
    first, second = make_job(bob, prompt="a"), make_job(bob, prompt="b")
    Job.objects.filter(pk=second.pk).update(position=first.position + 1)
    batch = _batch(bob, studio, make_job, "Nuts", "cdefg")
    services.move_batch(user=bob, batch=batch, before=second)
    assert _order(bob) == list("acdefgb")
