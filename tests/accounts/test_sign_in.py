"""Signing in, and the doors beside it: sign-up, forgotten passwords, the admin."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services import password_reset_link

PASSWORD = "a rather long password"
OWN = "plum saddle orbit tundra"


def _sign_in(client, email, password=PASSWORD):
    return client.post("/account/login/", {"login": email, "password": password})


@pytest.mark.parametrize("address", ["alice@example.com", "ALICE@example.com", " alice@example.com "])
def test_by_address_in_any_case(client, alice, address):
    assert _sign_in(client, address).url == "/"
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_password_and_an_unknown_address_read_the_same(alice):
    answers = [
        _sign_in(Client(), who, "wrong").context["form"].non_field_errors()
        for who in ("alice@example.com", "nobody@example.com")
    ]
    assert answers[0]
    assert answers[0] == answers[1]


def test_guessing_is_slowed_down(client, alice):
    for _n in range(6):
        _sign_in(client, alice.email, "wrong")
    assert "_auth_user_id" not in client.session
    refused = _sign_in(client, alice.email)
    assert "_auth_user_id" not in client.session
    assert b"Too many failed login attempts" in refused.content


def test_hammering_gets_the_429_page(client, db):
    answers = [client.post("/account/login/", {"login": f"{n}@example.com", "password": "x"}) for n in range(31)]
    assert answers[-1].status_code == 429
    assert b"Too many attempts" in answers[-1].content


def test_it_leads_nowhere_outside(client, alice):
    response = client.post("/account/login/?next=https://evil.example/", {"login": alice.email, "password": PASSWORD})
    assert response.url == "/"


def test_the_switched_off_are_told(client, charlie):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    assert _sign_in(client, charlie.email, PASSWORD).url == "/account/inactive/"
    assert b"switched off" in client.get("/account/inactive/").content


def test_nobody_signs_up(client, db):
    assert b"People come by invitation" in client.get("/account/signup/").content
    client.post("/account/signup/", {"email": "eve@example.com", "password1": OWN, "password2": OWN})
    assert not User.objects.filter(email="eve@example.com").exists()


@pytest.mark.parametrize("path", ["/account/email/", "/account/confirm-email/"])
def test_addresses_have_no_second_home(as_, alice, path):
    assert as_(alice).get(path).status_code == 404


def test_signing_out_takes_a_post(as_, alice):
    client = as_(alice)
    assert b"Sign out?" in client.get("/account/logout/").content
    assert "_auth_user_id" in client.session
    client.post("/account/logout/")
    assert "_auth_user_id" not in client.session


class TestForgottenPassword:
    """With mail a letter, without it an administrator helps."""

    def test_without_mail_the_page_says_who_helps(self, client, alice):
        for response in (
            client.get("/account/password/reset/"),
            client.post("/account/password/reset/", {"email": alice.email}),
        ):
            assert b"Ask your administrator" in response.content
        assert mail.outbox == []

    def test_with_mail_a_link_comes_and_works_once(self, client, alice, settings):
        settings.EMAIL_CONFIGURED = True
        client.post("/account/password/reset/", {"email": alice.email})
        (letter,) = mail.outbox
        assert letter.subject == "Atelier: A link to choose a new password"
        path = re.search(r"http://testserver(\S+)", letter.body)[1]
        self._follow(client, path)
        assert _sign_in(Client(), alice.email, OWN).url == "/"
        assert b"does not work any more" in Client().get(path).content

    def test_strangers_learn_nothing_and_get_no_letter(self, client, db, settings):
        settings.EMAIL_CONFIGURED = True
        response = client.post("/account/password/reset/", {"email": "nobody@example.com"})
        assert response.url == "/account/password/reset/done/"
        assert b"If there is an account" in client.get(response.url).content
        assert mail.outbox == []

    def test_the_administrators_link_works_and_ends_a_one_time_password(self, client, charlie):
        User.objects.filter(pk=charlie.pk).update(must_change_password=True)
        link = password_reset_link(user=charlie, base_url="http://testserver")
        self._follow(client, link.removeprefix("http://testserver"))
        charlie.refresh_from_db()
        assert charlie.check_password(OWN)
        assert not charlie.must_change_password

    def _follow(self, client, path):
        page = client.get(path)
        done = client.post(page.url, {"password1": OWN, "password2": OWN}, follow=True)
        assert b"Your new password is set" in done.content


class TestAdminDoor:
    """The admin has no sign-in of its own."""

    @pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/accounts/user/"])
    def test_strangers_are_sent_to_the_one_page(self, client, db, path):
        response = client.get(path, follow=True)
        assert response.redirect_chain[-1][0].startswith("/account/login/?next=")

    def test_its_form_takes_no_password(self, client, db):
        User.objects.create_superuser("root@example.com", PASSWORD)
        client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
        assert "_auth_user_id" not in client.session

    def test_others_are_refused(self, as_, alice):
        response = as_(alice).get("/admin/", follow=True)
        assert response.status_code == 403

    def test_signing_out_and_passwords_are_the_studios(self, client, db):
        client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
        assert "Change your password" in client.get("/admin/password_change/").content.decode()
        client.post("/admin/logout/")
        assert "_auth_user_id" not in client.session
