"""Jobs and models in the admin: seen by administrators, changed by services."""

import uuid

import pytest
from django.test import Client

from accounts.models import Membership, User
from generator.models import Checkpoint, Job, State, Worker


@pytest.fixture
def root(client, db) -> Client:
    """An administrator's browser, of somebody in none of the teams."""
    client.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    return client


def _act(root: Client, action: str, *jobs: Job):
    data = {"action": action, "_selected_action": [str(job.pk) for job in jobs]}
    return root.post("/admin/generator/job/", data, follow=True)


def test_a_job_is_found_by_its_prompt_and_its_owner(root, make_job, alice, bob):
    make_job(alice, prompt="a lighthouse at dawn")
    make_job(bob, prompt="a red apple")
    for query in ("lighthouse", "alice@"):
        page = root.get(f"/admin/generator/job/?q={query}").content.decode()
        assert "a lighthouse at dawn" in page
        assert "a red apple" not in page


@pytest.mark.parametrize("state", State)
def test_the_list_can_be_narrowed(root, make_job, alice, state):
    job = make_job(alice)
    page = root.get(f"/admin/generator/job/?state__exact={state}").content.decode()
    assert (str(job.pk) in page) == (state == State.QUEUED)


def test_cancel_stops_what_waits_and_leaves_what_ended(root, make_job, alice):
    waiting, done = make_job(alice), make_job(alice)
    Job.objects.filter(pk=done.pk).update(state=State.DONE)
    page = _act(root, "cancel", waiting, done).content.decode()
    assert "1 job cancelled." in page
    assert [Job.objects.get(pk=job.pk).state for job in (waiting, done)] == [State.CANCELLED, State.DONE]


def test_retry_is_the_owners_job_again(root, make_job, alice, studio):
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(state=State.FAILED)
    assert "1 job waits again." in _act(root, "retry", job).content.decode()
    again = Job.objects.exclude(pk=job.pk).get()
    assert (again.owner, again.team, again.state) == (alice, studio, State.QUEUED)
    assert again.generation.seed == job.generation.seed


def test_retry_says_when_the_owner_may_not(root, make_job, bob, studio, settings):
    job = make_job(bob)
    settings.PICTURES_PER_DAY = 1
    assert "Bob: You have 0 of 1 picture left today" in _act(root, "retry", job).content.decode()
    Membership.objects.filter(user=bob, team=studio).delete()
    assert "Bob may no longer make pictures" in _act(root, "retry", job).content.decode()
    assert Job.objects.count() == 1


def test_a_jobs_state_is_not_edited(root, make_job, alice):
    job = make_job(alice)
    assert root.post(f"/admin/generator/job/{job.pk}/change/", {"state": "done"}).status_code == 403
    assert root.post(f"/admin/generator/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/generator/job/add/").status_code == 403


def test_results_and_settings_are_shown(root, make_job, make_media, alice):
    job = make_job(alice, negative_prompt="blurry")
    media = make_media(alice)
    type(media).objects.filter(pk=media.pk).update(job=job.pk)
    for path in ("/admin/generator/job/", f"/admin/generator/job/{job.pk}/change/"):
        page = root.get(path).content.decode()
        assert f"/admin/gallery/media/{media.pk}/change/" in page
        assert f"/media/{media.pk}/tile/" in page
    assert "blurry" in page


def test_the_list_costs_the_same_for_many_jobs(root, make_job, make_media, alice, django_assert_max_num_queries):
    for n in range(12):
        make_job(alice, prompt=f"picture {n}")
    with django_assert_max_num_queries(12):
        root.get("/admin/generator/job/")


def test_one_model_is_chosen_at_first(root, checkpoint):
    other = Checkpoint.objects.create(slug="sdxl", name="SDXL", source="folder", family="sdxl", licence_name="OpenRAIL")
    choose = {"action": "make_default", "_selected_action": [other.pk]}
    root.post("/admin/generator/checkpoint/", choose)
    assert Checkpoint.objects.get(is_default=True) == other
    Checkpoint.objects.filter(pk=checkpoint.pk).update(is_enabled=False)
    choose["_selected_action"] = [checkpoint.pk]
    answer = root.post("/admin/generator/checkpoint/", choose, follow=True)
    assert b"one that is switched on" in answer.content
    assert Checkpoint.objects.get(is_default=True) == other


def test_a_model_in_use_is_not_deleted(root, make_job, alice, checkpoint):
    make_job(alice)
    root.post(f"/admin/generator/checkpoint/{checkpoint.pk}/delete/", {"post": "yes"})
    assert Checkpoint.objects.filter(pk=checkpoint.pk).exists()


def test_a_jobs_page_tells_what_happened(root, make_job, alice):
    job = make_job(alice)
    job.move(State.RUNNING, lease=uuid.uuid4(), worker="gpu-1")
    job.move(State.FAILED, reason="The disk was full.", trace="OSError: <full>", log="a last line")
    page = root.get(f"/admin/generator/job/{job.pk}/change/").content.decode()
    for words in ("Waited in line", "gpu-1", "The disk was full.", "OSError: &lt;full&gt;", "a last line"):
        assert words in page


def test_workers_are_paused_and_released(root):
    Worker.objects.create(name="gpu-1", memory=1000, memory_free=400, loaded=["sdxl"])
    chosen = {"_selected_action": ["gpu-1"]}
    assert (
        "Paused." in root.post("/admin/generator/worker/", {"action": "hold", **chosen}, follow=True).content.decode()
    )
    assert Worker.objects.get().is_paused
    page = root.get("/admin/generator/worker/").content.decode()
    assert "400 / 1,000 MiB" in page
    assert "sdxl" in page
    root.post("/admin/generator/worker/", {"action": "release", **chosen})
    assert not Worker.objects.get().is_paused
