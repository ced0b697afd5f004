"""The first administrator: printed once, in the words that the outside contract promises."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.services import create_person


def _run() -> str:
    out = StringIO()
    call_command("ensure_admin", stdout=out)
    return out.getvalue()


def test_prints_what_one_signs_in_with_then_nothing(client, db):
    match = re.fullmatch(r"Administrator e-mail: (\S+)\nOne-time password: (\S+)\n", _run())
    assert match
    email, password = match.groups()
    assert email == "admin@atelier.local"
    assert client.post("/account/login/", {"login": email, "password": password}).status_code == 302
    assert client.get("/").url.startswith("/account/password/change/")
    assert _run() == ""


def test_the_new_password_opens_studio_and_admin(db):
    password = _run().split()[-1]
    client, own = Client(), "plum saddle orbit tundra"
    client.post("/account/login/", {"login": "admin@atelier.local", "password": password})
    client.post("/account/password/change/", {"password1": own, "password2": own})
    assert client.get("/team/").status_code == 200
    assert client.get("/admin/").status_code == 200


def test_the_address_can_be_chosen(db, settings):
    settings.ADMIN_EMAIL = "Ada@Studio.example"
    assert "ada@studio.example" in _run()


@pytest.mark.parametrize("address", ["nobody", ""])
def test_an_address_that_cannot_sign_in_is_refused(db, settings, address):
    settings.ADMIN_EMAIL = address
    with pytest.raises(CommandError, match="is not an e-mail address"):
        _run()
    assert not User.objects.exists()


def test_somebody_elses_address_is_refused(db, settings):
    create_person(email="ada@studio.example")
    settings.ADMIN_EMAIL = "ada@studio.example"
    with pytest.raises(CommandError, match="Choose another ADMIN_EMAIL"):
        _run()
