"""Invitations: the one way in. A link is good once, for one address, for a week."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, User
from accounts.roles import Role
from accounts.services import Refused, accept_invitation, invite, revoke_invitation

PASSWORD = "correct horse battery staple"


def _invite(user, team, email="new@example.com", role=Role.CREATOR) -> tuple[Invitation, str, str]:
    invitation, link = invite(user=user, team=team, email=email, role=role, base_url="http://testserver/")
    return invitation, link.removeprefix("http://testserver"), link.rstrip("/").rsplit("/", 1)[-1]


def test_the_link_is_not_in_the_database(alice, studio):
    invitation, link, token = _invite(alice, studio)
    assert link == f"/invitation/{token}/"
    assert token not in str(Invitation.objects.filter(pk=invitation.pk).values())


def test_a_new_person_comes_in_and_works_in_the_team(alice, studio):
    _invitation, link, _token = _invite(alice, studio, role=Role.REVIEWER)
    client = Client()
    assert b"Alice invites you" in client.get(link).content
    response = client.post(link, {"name": "Nora", "password": PASSWORD})
    assert (response.status_code, response.url) == (302, "/")
    user = User.objects.get(email="new@example.com")
    assert user.name == "Nora"
    assert Membership.objects.get(user=user, team=studio).role == Role.REVIEWER
    assert str(studio.pk) == client.session["team"]
    assert user.personal_team
    assert Client().login(email="new@example.com", password=PASSWORD)


def test_a_weak_password_is_refused_and_the_link_stays_good(alice, studio):
    _invitation, link, token = _invite(alice, studio)
    response = Client().post(link, {"name": "Nora", "password": "new@example"})
    assert response.status_code == 422
    assert b"too similar" in response.content
    with pytest.raises(ValidationError):
        accept_invitation(token=token, name="Nora", password="short")
    assert Invitation.objects.open().exists()
    assert not User.objects.filter(email="new@example.com").exists()


def test_it_works_once(alice, studio):
    _invitation, link, _token = _invite(alice, studio)
    Client().post(link, {"name": "Nora", "password": PASSWORD})
    again = Client().post(link, {"name": "Eve", "password": PASSWORD})
    assert again.status_code == 404
    assert b"was used already" in again.content
    assert not User.objects.filter(name="Eve").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires": timezone.now() - timedelta(seconds=1)}, b"has expired"),
        ({"revoked": timezone.now()}, b"was withdrawn"),
        ({"accepted": timezone.now()}, b"was used already"),
        ({"token_hash": "0" * 64}, b"does not exist"),
    ],
)
def test_a_link_that_is_over_says_why(alice, studio, change, words):
    invitation, link, _token = _invite(alice, studio)
    Invitation.objects.filter(pk=invitation.pk).update(**change)
    for response in (Client().get(link), Client().post(link, {"name": "Eve", "password": PASSWORD})):
        assert response.status_code == 404
        assert words in response.content
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_guess_opens_nothing(db):
    assert Client().get(f"/invitation/{Invitation.new_token()}/").status_code == 404


def test_it_is_for_one_address(as_, alice, charlie, studio):
    _invitation, link, token = _invite(alice, studio)
    with pytest.raises(Refused, match=r"is for new@example\.com"):
        accept_invitation(token=token, user=charlie)
    assert b"you are signed in as charlie@example.com" in as_(charlie).get(link).content
    assert as_(charlie).post(link).status_code == 404
    assert not Membership.objects.filter(user=charlie, team=studio).exists()


def test_somebody_with_an_account_signs_in_and_joins(as_, alice, charlie, studio):
    _invitation, link, _token = _invite(alice, studio, email="Charlie@Example.com")
    assert b"Sign in to join" in Client().get(link).content
    assert Client().post(link, {"name": "Eve", "password": PASSWORD}).status_code == 404
    assert as_(charlie).post(link).status_code == 302
    assert Membership.objects.get(user=charlie, team=studio).role == Role.CREATOR


def test_who_is_in_already_keeps_their_role(alice, victor, studio):
    _invitation, _link, token = _invite(alice, studio, email="later@example.com", role=Role.MANAGER)
    User.objects.filter(pk=victor.pk).update(email="later@example.com")
    victor.refresh_from_db()
    assert accept_invitation(token=token, user=victor).role == Role.VIEWER


@pytest.mark.parametrize(("who", "role"), [("bob", Role.VIEWER), ("victor", Role.VIEWER), ("charlie", Role.VIEWER)])
def test_who_manages_nobody_invites_nobody(alice, bob, victor, charlie, studio, who, role):
    with pytest.raises(PermissionDenied):
        _invite({"bob": bob, "victor": victor, "charlie": charlie}[who], studio, role=role)


def test_a_manager_invites_no_owner(alice, bob, studio):
    Membership.objects.filter(user=bob, team=studio).update(role=Role.MANAGER)
    _invite(bob, studio, role=Role.MANAGER)
    with pytest.raises(PermissionDenied):
        _invite(bob, studio, role=Role.OWNER)


def test_members_and_personal_teams_are_refused(alice, bob, studio):
    with pytest.raises(Refused, match="already in this team"):
        _invite(alice, studio, email="BOB@example.com")
    with pytest.raises(Refused, match="personal team"):
        _invite(alice, alice.personal_team)


def test_a_new_link_replaces_the_old_one(alice, studio):
    _invitation, old, _token = _invite(alice, studio)
    _invitation, new, _token = _invite(alice, studio, email="NEW@example.com")
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200


def test_withdrawing_needs_the_right_to_invite(alice, bob, studio):
    invitation, link, _token = _invite(alice, studio)
    with pytest.raises(PermissionDenied):
        revoke_invitation(user=bob, invitation=invitation)
    revoke_invitation(user=alice, invitation=invitation)
    assert Client().get(link).status_code == 404


def test_without_mail_nothing_is_sent(alice, studio):
    invitation, _link, _token = _invite(alice, studio)
    assert invitation.mailed is None
    assert mail.outbox == []


def test_with_mail_the_link_is_in_the_letter(alice, studio, settings):
    settings.EMAIL_CONFIGURED = True
    studio.name = "Büro & Söhne"
    studio.save()
    invitation, link, _token = _invite(alice, studio)
    (letter,) = mail.outbox
    assert letter.to == ["new@example.com"]
    assert letter.subject == "Your invitation to Büro & Söhne"
    assert f"http://testserver{link}" in letter.body
    assert invitation.mailed


def test_a_mail_server_that_is_away_does_not_lose_the_link(alice, studio, settings):
    settings.EMAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    invitation, link, _token = _invite(alice, studio)
    assert invitation.mailed is None
    assert Client().get(link).status_code == 200
