"""Teams and accounts that end: what goes, what stays, who is told."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import Membership, Team, User
from accounts.roles import Role
from accounts.services import (
    Refused,
    close_account,
    close_team,
    create_api_key,
    hand_over_team,
    key_behind,
    leave_team,
    set_shares,
)
from gallery.models import Media
from generator import previews
from generator.models import Job, State


def _membership(user, team) -> Membership:
    return Membership.objects.get(user=user, team=team)


def test_what_somebody_made_stays_with_the_team_and_what_was_private_stays_private(
    studio, alice, bob, victor, make_media
):
    shared, private = make_media(bob), make_media(bob, visibility="private")
    leave_team(user=bob, team=studio)
    assert set(Media.objects.visible_to(victor)) == {shared}
    assert Media.objects.editable_by(alice).get() == shared
    assert not Media.objects.visible_to(bob).exists()
    Membership.objects.create(team=studio, user=bob, role=Role.CREATOR)
    assert set(Media.objects.visible_to(bob)) == {shared, private}


def test_an_owner_hands_over_and_stays_as_a_manager(studio, alice, bob):
    hand_over_team(user=alice, membership=_membership(bob, studio))
    assert _membership(bob, studio).role == Role.OWNER
    assert _membership(alice, studio).role == Role.MANAGER


@pytest.mark.parametrize("who", ["bob", "victor", "charlie"])
def test_nobody_else_hands_over(studio, alice, bob, victor, charlie, who):
    user = {"bob": bob, "victor": victor, "charlie": charlie}[who]
    with pytest.raises(PermissionDenied):
        hand_over_team(user=user, membership=_membership(bob, studio))


def test_shares_are_set_by_who_manages_people_in_that_team_only(studio, alice, bob):
    elsewhere = _membership(bob, bob.personal_team)
    set_shares(user=alice, team=studio, shares={_membership(bob, studio).pk: 3, elsewhere.pk: 9})
    elsewhere.refresh_from_db()
    assert (_membership(bob, studio).share, elsewhere.share) == (3, 1)
    with pytest.raises(PermissionDenied):
        set_shares(user=bob, team=studio, shares={})


def test_a_team_is_deleted_by_its_typed_name(studio, alice, bob, make_job, make_media):
    media, job = make_media(bob), make_job(bob)
    with pytest.raises(Refused, match="not the name"):
        close_team(user=alice, team=studio, name="studio")
    assert Membership.objects.filter(team=studio).exists()
    close_team(user=alice, team=studio, name=" Studio ")
    assert not Membership.objects.filter(team=studio).exists()
    media.refresh_from_db()
    job.refresh_from_db()
    assert media.deleted
    assert job.state == State.CANCELLED
    assert Team.objects.filter(pk=studio.pk).exists()  # an administrator can bring it back


def test_a_personal_team_is_not_deleted(charlie):
    with pytest.raises(Refused, match="personal team"):
        close_team(user=charlie, team=charlie.personal_team, name=charlie.personal_team.name)


def test_an_account_ends_and_names_nobody_any_more(studio, alice, bob, make_job, make_media):
    kept, own = make_media(bob), make_media(bob, team=bob.personal_team)
    job = make_job(bob)
    _key, token = create_api_key(user=bob, name="Script")
    close_account(user=bob)
    bob = User.objects.get(pk=bob.pk)
    assert not bob.is_active
    assert not bob.has_usable_password()
    assert "bob" not in f"{bob.email} {bob.name}".lower()
    assert key_behind(token) is None
    assert set(Media.objects.kept().visible_to(alice)) == {kept}
    own.refresh_from_db()
    assert own.deleted
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED
    assert not Membership.objects.filter(user=bob).exists()


def test_who_owns_a_team_with_others_in_it_hands_over_first(studio, alice, bob):
    with pytest.raises(Refused, match="Studio"):
        close_account(user=alice)
    hand_over_team(user=alice, membership=_membership(bob, studio))
    close_account(user=alice)


def test_the_last_administrator_stays(db):
    root = User.objects.create_superuser("root@example.com", "a rather long password")
    with pytest.raises(Refused, match="administrator"):
        close_account(user=root)


def test_the_page_asks_for_the_address_and_signs_out(as_, bob):
    client = as_(bob)
    assert client.post("/account/close/", {"email": "alice@example.com"}).status_code == 422
    answer = client.post("/account/close/", {"email": "Bob@example.com"}, follow=True)
    assert "Your account is deleted." in answer.content.decode()
    assert client.get("/account/profile/").status_code == 302


def test_the_owner_reads_why_not(as_, alice, bob):
    page = as_(alice).get("/account/close/").content.decode()
    assert "Studio would have no owner" in page
    assert "Delete my account" not in page


@pytest.mark.django_db(transaction=True)
def test_what_runs_for_somebody_who_goes_is_asked_to_stop(studio, bob, make_job):
    job = make_job(bob)
    job.move(State.RUNNING, lease=uuid.uuid4(), lease_expires=timezone.now() + timedelta(minutes=1), worker="w")
    close_account(user=bob)
    job.refresh_from_db()
    assert (job.state, job.cancel_requested) == (State.RUNNING, True)
    assert previews.asked(job.pk) == "cancel"
