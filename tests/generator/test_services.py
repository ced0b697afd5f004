"""Creating, cancelling and retrying jobs: who may, what is charged, what is remembered."""

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Team
from accounts.services import left_today
from generator import previews, queue, services
from generator.models import Checkpoint, Job, Prompt, State, StylePreset


def test_what_is_left_out_comes_from_the_model(alice, studio, checkpoint):
    job = services.create_generation(user=alice, team=studio, checkpoint=checkpoint, prompt="an apple")
    made = job.generation
    assert (made.steps, made.guidance, made.scheduler) == (
        checkpoint.default_steps,
        checkpoint.default_guidance,
        checkpoint.default_scheduler,
    )
    assert (made.width, made.height) == (checkpoint.native_size, checkpoint.native_size)
    assert 0 <= made.seed < 2**32
    assert job.cost == services.cost_of(made, queue.Paces.read()) > 0


@pytest.mark.parametrize("person", ["victor", "charlie"])
def test_viewers_and_outsiders_make_nothing(person, request, studio, checkpoint):
    with pytest.raises(PermissionDenied):
        services.create_generation(
            user=request.getfixturevalue(person), team=studio, checkpoint=checkpoint, prompt="an apple"
        )
    assert not Job.objects.exists()


def test_a_model_that_is_switched_off_is_refused_by_name(alice, studio, checkpoint):
    Checkpoint.objects.update(is_enabled=False)
    checkpoint.refresh_from_db()
    with pytest.raises(services.Refused, match=checkpoint.name):
        services.create_generation(user=alice, team=studio, checkpoint=checkpoint, prompt="an apple")


def test_a_quota_that_is_spent_refuses_and_books_nothing(alice, make_job):
    alice.pictures_per_day = 3
    alice.save()
    make_job(alice, count=2)
    with pytest.raises(services.Refused, match="1 of 3"):
        make_job(alice, count=2)
    assert Job.objects.count() == 1
    assert left_today(alice) == 1


def test_an_impossible_request_is_refused_in_plain_words_and_charges_nothing(alice, make_job):
    before = left_today(alice)
    with pytest.raises(services.Refused, match="prompt is empty"):
        make_job(alice, prompt="   ")
    assert left_today(alice) == before


def test_cancelling_what_waits_ends_it_and_gives_the_pictures_back(alice, make_job):
    before = left_today(alice)
    job = make_job(alice, count=4)
    assert services.cancel_job(user=alice, job=job).state == State.CANCELLED
    assert left_today(alice) == before
    assert services.cancel_job(user=alice, job=job).state == State.CANCELLED
    assert left_today(alice) == before


def test_cancelling_what_runs_leaves_the_end_to_its_worker(alice, make_job, django_capture_on_commit_callbacks):
    job = make_job(alice)
    queue.claim(worker="w")
    with django_capture_on_commit_callbacks(execute=True):
        services.cancel_job(user=alice, job=job)
    job.refresh_from_db()
    assert (job.state, job.cancel_requested) == (State.RUNNING, True)
    assert previews.asked(job.pk) == queue.Wish.CANCEL


def test_cancelling_what_is_done_changes_nothing(alice, make_job):
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(state=State.DONE)
    assert services.cancel_job(user=alice, job=Job.objects.get(pk=job.pk)).state == State.DONE


@pytest.mark.parametrize(
    ("person", "allowed"), [("alice", True), ("bob", False), ("victor", False), ("charlie", False)]
)
def test_who_may_cancel_anothers_job(person, allowed, request, make_job, studio):
    carol = request.getfixturevalue("bob") if person != "bob" else request.getfixturevalue("alice")
    user = request.getfixturevalue(person)
    job = make_job(carol)
    if allowed:
        services.cancel_job(user=user, job=job)
    else:
        with pytest.raises(PermissionDenied):
            services.cancel_job(user=user, job=job)
    assert (Job.objects.get(pk=job.pk).state == State.CANCELLED) is allowed


def test_a_manager_cannot_touch_a_private_job(alice, bob, make_job):
    job = make_job(bob, visibility="private")
    with pytest.raises(PermissionDenied):
        services.cancel_job(user=alice, job=job)


def test_retry_asks_for_the_very_same_again(alice, make_job):
    job = make_job(alice, seed=99, count=2)
    services.cancel_job(user=alice, job=job)
    again = services.retry_job(user=alice, job=job)
    assert again.pk != job.pk
    assert again.state == State.QUEUED
    for name in ("prompt", "seed", "count", "steps", "guidance", "scheduler", "width", "height"):
        assert getattr(again.generation, name) == getattr(job.generation, name)
    assert Job.objects.get(pk=job.pk).generation.seed == 99


def test_an_outsider_cannot_retry(charlie, alice, make_job):
    with pytest.raises(PermissionDenied):
        services.retry_job(user=charlie, job=make_job(alice))


def test_a_style_wraps_the_prompt_for_the_engine_only(alice, make_job):
    style = StylePreset.objects.create(slug="noir", name="Noir", template="{prompt}, film noir", negative="colour")
    generation = make_job(alice, style=style, negative_prompt="text").generation
    assert generation.prompt == "a red apple, 3d icon"
    spec = services.spec_of(generation)
    assert spec.prompt == "a red apple, 3d icon, film noir"
    assert spec.negative_prompt == "text, colour"


def test_the_history_holds_each_text_once(alice, bob, make_job):
    make_job(alice)
    make_job(alice)
    make_job(alice, prompt="a pear")
    assert {(p.text, p.uses) for p in Prompt.objects.filter(user=alice)} == {("a red apple, 3d icon", 2), ("a pear", 1)}
    assert not Prompt.objects.visible_to(bob).exists()


def test_a_shared_prompt_is_seen_by_the_team_and_changed_by_its_writer_alone(alice, bob, charlie, make_job):
    make_job(alice)
    prompt = Prompt.objects.get()
    services.share_prompt(user=alice, prompt=prompt)
    assert Prompt.objects.visible_to(bob).exists()
    assert not Prompt.objects.visible_to(charlie).exists()
    for change in (services.share_prompt, services.save_prompt, services.delete_prompt):
        with pytest.raises(PermissionDenied):
            change(user=bob, prompt=prompt)


def test_an_ended_job_can_be_taken_off_the_page_by_its_owner(alice, bob, make_job):
    job = make_job(alice)
    with pytest.raises(services.Refused):
        services.hide_job(user=alice, job=job)
    services.cancel_job(user=alice, job=job)
    job.refresh_from_db()
    with pytest.raises(PermissionDenied):
        services.hide_job(user=bob, job=job)
    services.hide_job(user=alice, job=job)
    assert Job.objects.get(pk=job.pk).hidden


def test_a_personal_team_is_ones_own_alone(alice, bob, checkpoint):
    personal = Team.objects.get(personal_of=alice)
    job = services.create_generation(user=alice, team=personal, checkpoint=checkpoint, prompt="an apple")
    assert not Job.objects.visible_to(bob).filter(pk=job.pk).exists()
