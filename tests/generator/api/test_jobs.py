"""Jobs over the API: who sees which, pages of them, one with all its facts, and what can be done with it."""

from datetime import timedelta

import pytest

from generator.models import Job


def _ids(response) -> list[str]:
    return [item["id"] for item in response.json()["items"]]


def test_everybody_sees_their_own_and_what_is_not_private(calls, alice, bob, charlie, make_job):
    own, shared, private = make_job(alice), make_job(bob), make_job(bob, visibility="private")
    assert _ids(calls(alice).get("/api/v1/jobs")) == [str(shared.pk), str(own.pk)]
    assert _ids(calls(alice).get("/api/v1/jobs?mine=true")) == [str(own.pk)]
    assert _ids(calls(bob).get("/api/v1/jobs")) == [str(private.pk), str(shared.pk), str(own.pk)]
    assert _ids(calls(charlie).get("/api/v1/jobs")) == []


def test_pages_miss_nothing_and_repeat_nothing(calls, bob, make_job):
    jobs = [make_job(bob, seed=seed) for seed in range(5)]
    Job.objects.filter(pk__in=[job.pk for job in jobs[1:4]]).update(created=jobs[2].created)  # at one moment
    client, seen, cursor = calls(bob), [], ""
    for _page in range(3):
        response = client.get(f"/api/v1/jobs?limit=2{cursor}")
        seen += _ids(response)
        cursor = f"&cursor={response.json()['next']}"
    assert sorted(seen) == sorted(str(job.pk) for job in jobs)
    assert response.json()["next"] is None


def test_one_by_state_and_team(calls, bob, make_job, studio):
    waiting, ended = make_job(bob), make_job(bob)
    client = calls(bob)
    client.post(f"/api/v1/jobs/{ended.pk}/cancel")
    assert _ids(client.get("/api/v1/jobs?state=queued")) == [str(waiting.pk)]
    assert len(_ids(client.get(f"/api/v1/jobs?team={studio.pk}"))) == 2
    assert _ids(client.get(f"/api/v1/jobs?team={bob.personal_team.pk}")) == []


def test_one_job_has_all_its_facts(calls, bob, make_job):
    job = make_job(bob, prompt="a pear", seed=11, steps=6)
    body = calls(bob).get(f"/api/v1/jobs/{job.pk}").json()
    assert (body["state"], body["prompt"], body["media"]) == ("queued", "a pear", [])
    assert body["settings"]["seed"] == 11
    assert body["settings"]["checkpoint"] == "starter"
    assert body["now"]["steps"] == 6
    assert body["now"]["position"] == 0


DO = {"cancel": "cancelled", "pause": "paused"}


@pytest.mark.parametrize("verb", DO)
@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("alice", 200), ("victor", 403), ("charlie", 404)])
def test_who_may_change_one(request, calls, bob, make_job, verb, who, status):
    job = make_job(bob)
    response = calls(request.getfixturevalue(who)).post(f"/api/v1/jobs/{job.pk}/{verb}")
    assert response.status_code == status
    job.refresh_from_db()
    assert job.state == (DO[verb] if status == 200 else "queued")


def test_a_paused_one_is_resumed(calls, bob, make_job):
    job = make_job(bob)
    client = calls(bob)
    client.post(f"/api/v1/jobs/{job.pk}/pause")
    assert client.post(f"/api/v1/jobs/{job.pk}/resume").json()["state"] == "queued"


def test_what_is_private_does_not_exist_for_others(calls, alice, bob, make_job):
    job = make_job(bob, visibility="private")
    assert calls(alice).get(f"/api/v1/jobs/{job.pk}").status_code == 404
    assert calls(alice).post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 404


def test_listing_takes_a_fixed_number_of_queries(calls, bob, make_job, django_assert_max_num_queries):
    for seed in range(8):
        make_job(bob, seed=seed)
    client = calls(bob)
    client.get("/api/v1/jobs")
    with django_assert_max_num_queries(4):
        assert len(_ids(client.get("/api/v1/jobs"))) == 8


def test_the_clock_of_a_job_is_told_with_its_zone(calls, bob, make_job):
    job = make_job(bob)
    told = calls(bob).get(f"/api/v1/jobs/{job.pk}").json()["created"]
    assert told.endswith("Z")
    assert abs(job.created - type(job.created).fromisoformat(told)) < timedelta(milliseconds=1)
