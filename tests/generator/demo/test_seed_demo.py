"""The demo: made once, the same each time, and honest about how its jobs came to where they are."""

import io

import pytest
from django.core.management import call_command

from accounts.models import Invitation, Membership, Team, Usage
from accounts.roles import Role
from gallery.models import Album, Media, Review, ShareLink
from generator.demo import metadata, people, pictures, states, wishes
from generator.models import Batch, Checkpoint, Job, Prompt, State, StylePreset, Training


def _seed(*args: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", "--steps", "2", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def cast(checkpoint) -> people.Cast:
    """Everybody, without pictures."""
    return people.gather(None)[0]


def test_all_of_it_once_and_again(db):
    said = _seed("--pictures", "12")
    assert "12 pictures drawn" in said
    northlight = Team.objects.get(name=people.TEAM)
    assert {*Membership.objects.filter(team=northlight).values_list("role", flat=True)} == set(Role)
    assert {*Job.objects.values_list("state", flat=True)} == set(State) - {State.RUNNING}
    assert Job.objects.filter(quarantined=True).exists()
    assert Media.objects.count() == 12 + 5 + 5 + 4  # the batch has five, what is taught five, its comparison four
    taught, drafted = Training.objects.order_by("created")
    assert (taught.state, taught.adapters.count(), len(taught.points)) == (State.DONE, 1, 3)
    assert taught.comparisons.get().jobs.filter(state=State.DONE).count() == 4
    assert drafted.is_draft
    assert {picture.is_usable for picture in drafted.pictures.all()} == {True, False}
    assert Batch.objects.exists()
    assert Album.objects.exists()
    assert ShareLink.objects.exists()
    assert StylePreset.objects.filter(team=northlight).exists()
    assert Review.objects.exists()
    assert Invitation.objects.open().exists()
    assert Prompt.objects.filter(is_shared=True).exists()
    assert Usage.objects.values("day").distinct().count() > 1
    before = [Job.objects.count(), Media.objects.count(), Album.objects.count(), Membership.objects.count()]
    said = _seed("--pictures", "12")
    assert said.count("there already") == 4
    assert before == [Job.objects.count(), Media.objects.count(), Album.objects.count(), Membership.objects.count()]


def test_fewer_pictures_are_the_beginning_of_more(cast):
    styles = StylePreset.objects.all().suiting("starter")
    few, many = (list(wishes.wishes(cast, number, 1, styles)) for number in (20, 60))
    assert many[: len(few) - 1] == few[:-1]
    assert sum(wish.count for wish in many) == 60
    assert list(wishes.wishes(cast, 60, 2, styles)) != many


def test_what_failed_really_failed(cast):
    states.show_all(cast, Checkpoint.objects.get(slug="starter"))
    failed = Job.objects.filter(state=State.FAILED, quarantined=False).first()
    assert failed.trace
    assert [line["to"] for line in failed.history] == ["running", "failed"]


def test_rows_without_files_are_copies_of_pictures_and_come_once(cast, make_media, monkeypatch):
    monkeypatch.setattr(metadata, "BATCH", 40)
    for number in range(3):
        media = make_media(cast.people["Aiko Tanaka"], team=cast.team, seed=number)
        Media.objects.filter(pk=media.pk).update(job=media.pk)
    assert metadata.fill(cast.team, 100, lambda rows: None) == 100
    assert metadata.fill(cast.team, 100, lambda rows: None) == 0
    assert metadata.fill(cast.team, 130, lambda rows: None) == 30
    rows = Media.objects.filter(file__startswith="metadata/")
    assert rows.count() == 130
    assert rows.values("created").distinct().count() > 100
    assert {0, 3, 5, 50} <= set(rows.values_list("seed", flat=True))
    assert Media.objects.visible_to(cast.people["Ada Brandt"]).count() == 133
    assert str(rows.order_by("pk").first().pk).startswith(metadata.PREFIX)


def test_rows_need_a_picture_to_copy(cast):
    with pytest.raises(RuntimeError, match="--pictures"):
        metadata.fill(cast.team, 5, lambda rows: None)


def test_with_a_password_they_can_sign_in(checkpoint, client):
    people.gather("a rather long password")
    answer = client.post("/account/login/", {"login": "mara@northlight.example", "password": "a rather long password"})
    assert answer.status_code == 302


def test_a_job_that_is_being_drawn_is_never_seen_waiting(cast, checkpoint):
    wish = next(wishes.wishes(cast, 2, 1, []))
    assert pictures.take(wish, checkpoint, 2).state == State.RUNNING
