"""What is left, for programs."""

from accounts.roles import LIMITS, Role


def test_what_is_left_for_me_and_in_my_teams(calls, bob, carol, victor, studio, make_job):
    bob.pictures_per_day = 10
    bob.save()
    make_job(bob, count=3)
    make_job(carol, count=2)
    body = calls(bob).get("/api/v1/quotas").json()
    assert (body["pictures_per_day"], body["pictures_today"], body["pictures_left_today"]) == (10, 3, 7)
    teams = {one["name"]: one for one in body["teams"]}
    there, limits = teams["Studio"], LIMITS[Role.CREATOR]
    assert (there["pictures_today"], there["pictures_today_by_all"]) == (3, 5)
    assert (there["waiting_limit"], there["waiting_left"]) == (limits.queued, limits.queued - 1)
    assert there["running_limit"] == limits.running
    assert (teams["Personal"]["pictures_today_by_all"], teams["Personal"]["waiting_left"] is not None) == (0, True)
    looking = {one["name"]: one for one in calls(victor).get("/api/v1/quotas").json()["teams"]}
    assert looking["Studio"]["waiting_left"] == 0


def test_nobody_elses_team_is_told(calls, charlie, bob, make_job):
    make_job(bob)
    assert [one["name"] for one in calls(charlie).get("/api/v1/quotas").json()["teams"]] == ["Personal"]
