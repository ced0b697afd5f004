"""One job's card."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gallery.models import Media
from generator import events, previews
from generator.models import Job, State, Worker


def url(job: Job) -> str:
    return reverse("generator:card", args=[job.pk])


@pytest.mark.parametrize(
    ("who", "visibility", "status"),
    [
        ("alice", "team", 200),
        ("bob", "team", 200),
        ("victor", "team", 200),
        ("charlie", "team", 404),
        ("alice", "private", 200),
        ("bob", "private", 404),
    ],
)
def test_who_sees_it(as_, alice, bob, victor, charlie, make_job, who, visibility, status):
    job = make_job(alice, visibility=visibility)
    assert as_(User.objects.get(email=f"{who}@example.com")).get(url(job)).status_code == status


def test_strangers_are_sent_to_the_entrance(client, alice, make_job):
    assert client.get(url(make_job(alice))).status_code == 302


def test_an_unknown_job_is_not_found(as_, alice):
    assert as_(alice).get(reverse("generator:card", args=[uuid.uuid4()])).status_code == 404


def test_a_waiting_job_says_how_many_are_before_it(as_, alice, bob, make_job):
    Worker.objects.create(name="one", seen=timezone.now())
    make_job(bob)
    assert "1 job before it" in as_(alice).get(url(make_job(alice))).content.decode()


def test_the_next_one_already_has_its_places(as_, alice, make_job):
    Worker.objects.create(name="one", seen=timezone.now())
    page = as_(alice).get(url(make_job(alice, count=3))).content.decode()
    assert page.count("data-preview=") == 3
    assert "starting" in page


def test_a_running_job_shows_its_newest_previews(as_, alice, make_job):
    job = make_job(alice, count=2, steps=20)
    job.move(State.RUNNING, lease=uuid.uuid4(), started=timezone.now())
    live = previews.Live(attempt=0, seq=events.sequence(job, 5), step=5, steps=20, eta=3.0, count=2)
    previews.write(job.pk, live, [b"one", b"two"])
    page = as_(alice).get(url(job)).content.decode()
    for index in range(2):
        assert reverse("generator:preview", args=[job.pk, index, 5]) in page
    assert "step 5 of 20" in page
    assert "3 s left" in page


def test_a_finished_job_shows_its_pictures_with_what_can_be_done(as_, alice, make_job, make_media):
    job = make_job(alice)
    media = make_media(alice)
    Media.objects.filter(pk=media.pk).update(job=job.pk)
    Job.objects.filter(pk=job.pk).update(state=State.DONE, finished=timezone.now())
    page = as_(alice).get(url(job)).content.decode()
    for name in ("gallery:picture", "gallery:like", "gallery:trash_one"):
        assert reverse(name, args=[media.pk]) in page
    assert "data-film" in page
    assert "#prompt=" in page.replace("&amp;", "&")


def test_a_team_mates_card_offers_no_cancel_to_those_who_may_not(as_, alice, bob, make_job):
    job = make_job(alice)
    cancel = reverse("generator:cancel", args=[job.pk])
    assert cancel in as_(alice).get(url(job)).content.decode()
    assert cancel not in as_(bob).get(url(job)).content.decode()


def test_a_job_that_is_tried_again_says_why_and_when(as_, alice, make_job):
    job = make_job(alice)
    later = timezone.now() + timedelta(seconds=40)
    Job.objects.filter(pk=job.pk).update(not_before=later, reason="The disk was full.")
    page = as_(alice).get(url(job)).content.decode()
    assert "The disk was full. Next attempt in" in page
    assert "data-until=" in page
    assert "data-preview" not in page


def test_a_paused_job_can_go_on(as_, alice, make_job):
    job = make_job(alice)
    job.move(State.PAUSED)
    page = as_(alice).get(url(job)).content.decode()
    assert reverse("generator:resume", args=[job.pk]) in page
    assert reverse("generator:pause", args=[job.pk]) not in page
