"""The first page of the admin: for whom, what it tells, what it can do."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, User
from generator import services
from generator.models import Hold, Job, State, Worker


def _browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def administrator(db) -> User:
    return User.objects.create_superuser("root@example.com", "a rather long password", name="Root")


@pytest.fixture
def root(administrator) -> Client:
    return _browser(administrator)


@pytest.fixture
def helper(db) -> Client:
    """Somebody on the staff who may look at jobs, and no more."""
    user = User.objects.create_user("staff@example.com", "a rather long password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    return _browser(user)


@pytest.fixture
def failed(make_job, bob) -> Job:
    job = make_job(bob, prompt="a lighthouse at dawn")
    times = {"started": timezone.now(), "finished": timezone.now()}
    Job.objects.filter(pk=job.pk).update(state=State.FAILED, reason="The disk is full.", **times)
    return Job.objects.get(pk=job.pk)


def test_who_sees_it(root, helper, as_, alice, failed):
    for client in (root, helper):
        page = client.get("/admin/").content.decode()
        assert "Jobs that ended" in page
        assert "The disk is full." in page
    assert as_(alice).get("/admin/").status_code == 302
    nobody = User.objects.create_user("n@example.com", "a rather long password", is_staff=True)
    assert "The disk is full." not in _browser(nobody).get("/admin/").content.decode()


def test_who_looks_only_is_offered_nothing(helper, failed):
    page = helper.get("/admin/").content.decode()
    assert "Run again" not in page
    assert "Pause everything" not in page
    again = f"/admin/generator/job/{failed.pk}/again/"
    assert helper.post(again).status_code == 403
    assert helper.get(again).status_code == 403
    assert helper.post("/admin/generator/hold/everything/").status_code == 403
    helper.post("/admin/generator/job/", {"action": "retry", "_selected_action": [failed.pk]})
    assert Job.objects.count() == 1


@pytest.mark.parametrize("asked", ["24h", "7d", "30d", "", "nonsense"])
def test_the_stretch_can_be_chosen(root, asked):
    page = root.get(f"/admin/?range={asked}").content.decode()
    shown = asked if asked in ("24h", "30d") else "7d"
    assert f'href="?range={shown}" aria-current="page"' in page


def test_a_failure_runs_again_in_its_owners_name(root, failed, bob):
    page = root.post(f"/admin/generator/job/{failed.pk}/again/", follow=True).content.decode()
    assert "1 job waits again." in page
    again = Job.objects.exclude(pk=failed.pk).get()
    assert (again.owner, again.state) == (bob, State.QUEUED)
    assert "Seen to" in page
    assert f"/admin/generator/job/{failed.pk}/again/" not in page


def test_it_keeps_to_the_owners_rights(root, failed, bob, studio):
    Membership.objects.filter(user=bob, team=studio).delete()
    page = root.post(f"/admin/generator/job/{failed.pk}/again/", follow=True).content.decode()
    assert "Bob may no longer make pictures" in page
    assert Job.objects.count() == 1


def test_what_is_in_quarantine_is_asked_about_first(root, failed):
    Job.objects.filter(pk=failed.pk).update(quarantined=True, attempts=3)
    address = f"/admin/generator/job/{failed.pk}/again/"
    page = root.get("/admin/").content.decode()
    assert "In quarantine" in page
    assert f'action="{address}"' not in page
    assert f'href="{address}"' in page
    assert "3 workers stopped while they made this" in root.get(address).content.decode()
    assert Job.objects.count() == 1
    root.post(address)
    assert Job.objects.count() == 2


def test_everything_can_be_paused_and_released(root, administrator):
    page = root.post("/admin/generator/hold/everything/", {"reason": "New graphics card.", "why": "pause"}, follow=True)
    hold = Hold.objects.get()
    assert (hold.scope, hold.by, hold.is_drain) == (Hold.Scope.EVERYTHING, administrator, False)
    assert "New graphics card." in page.content.decode()
    assert "by Root" in page.content.decode()
    page = root.post(f"/admin/generator/hold/{hold.pk}/release/", follow=True).content.decode()
    assert not Hold.objects.exists()
    assert "New graphics card." not in page


def test_what_changes_things_is_no_link(root, administrator):
    hold = services.hold_everything(user=administrator, drain=True)
    assert root.get(f"/admin/generator/hold/{hold.pk}/release/").status_code == 405
    assert root.get("/admin/generator/hold/everything/").status_code == 405
    assert Hold.objects.exists()


def test_workers_and_what_they_do(root, make_job, alice):
    Worker.objects.create(name="gpu-1", device="NVIDIA H200", memory=140_000, memory_free=90_000, loaded=["sdxl"])
    Worker.objects.create(name="gpu-2", is_paused=True)
    Worker.objects.create(name="gpu-3", seen=timezone.now() - timedelta(hours=1))
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, worker="gpu-1")
    page = root.get("/admin/").content.decode()
    for words in ("NVIDIA H200", "90,000 of 140,000 MiB", "sdxl", "Drawing", "Paused", "Not heard of"):
        assert words in page


def test_it_asks_as_much_for_many_jobs_as_for_few(root, make_job, alice, django_assert_num_queries):
    def more(number: int) -> None:
        for _n in range(number):
            job = make_job(alice)
            Job.objects.filter(pk=job.pk).update(state=State.FAILED, started=timezone.now(), finished=timezone.now())
            Job.objects.filter(pk=make_job(alice).pk).update(
                state=State.DONE, started=timezone.now(), finished=timezone.now()
            )
            Worker.objects.create(name=str(job.pk))

    more(1)
    root.get("/admin/?range=24h")
    with CaptureQueriesContext(connection) as few:
        root.get("/admin/?range=7d")
    more(6)
    with django_assert_num_queries(len(few)):
        root.get("/admin/?range=30d")


def test_prompts_are_escaped(root, failed):
    failed.generation.prompt = "<script>alert(1)</script>"
    failed.generation.save()
    assert "<script>alert" not in root.get("/admin/").content.decode()
