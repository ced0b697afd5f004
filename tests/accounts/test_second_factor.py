"""Two-factor sign-in: set up after asking who is there, asked for at every door afterwards."""

import base64
import hashlib
import hmac
import struct
import time

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

PASSWORD = "a rather long password"


def _code(secret: str) -> str:
    """RFC 6238 with its usual 30 s, six digits and SHA-1, written out so as not to ask allauth about itself."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.fixture
def recovery_codes(client, charlie) -> list[str]:
    """What Charlie was given when he switched the app on."""
    client.force_login(charlie)
    asked = client.get("/account/2fa/totp/activate/")
    assert asked.url.startswith("/account/reauthenticate/")
    client.post(asked.url, {"password": PASSWORD})
    secret = client.get("/account/2fa/totp/activate/").context["form"].secret
    answer = client.post("/account/2fa/totp/activate/", {"code": _code(secret)})
    assert answer.url == "/account/2fa/recovery-codes/"
    return client.get(answer.url).context["unused_codes"]


def test_a_password_alone_is_not_enough_any_more(recovery_codes, charlie):
    client = Client()
    answer = client.post("/account/login/", {"login": charlie.email, "password": PASSWORD})
    assert answer.url == "/account/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    page = client.get(answer.url)
    assert b"One more thing" in page.content
    assert b"Use a security key" not in page.content
    assert b"Incorrect code" in client.post(answer.url, {"code": "000000"}).content
    assert client.post(answer.url, {"code": recovery_codes[0]}).status_code == 302
    assert client.session["_auth_user_id"] == str(charlie.pk)


def test_a_recovery_code_works_once(recovery_codes, charlie):
    for expected in (True, False):
        client = Client()
        client.post("/account/login/", {"login": charlie.email, "password": PASSWORD})
        client.post("/account/2fa/authenticate/", {"code": recovery_codes[0]})
        assert ("_auth_user_id" in client.session) == expected


def test_it_guards_the_admin_too(recovery_codes, charlie):
    charlie.is_staff = charlie.is_superuser = True
    charlie.save()
    client = Client()
    client.post("/account/login/?next=/admin/", {"login": charlie.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/account/2fa/",
        "/account/2fa/webauthn/",
        "/account/2fa/recovery-codes/generate/",
        "/account/2fa/totp/deactivate/",
    ],
)
def test_its_pages(recovery_codes, client, path):
    page = client.get(path)
    assert page.status_code == 200
    assert b"Two-factor sign-in" in page.content


def test_adding_a_key_asks_who_is_there(as_, alice):
    client = as_(alice)
    asked = client.get("/account/2fa/webauthn/add/")
    client.post(asked.url, {"password": PASSWORD})
    page = client.get("/account/2fa/webauthn/add/")
    assert b"Add a security key" in page.content
    assert not Authenticator.objects.filter(user=alice).exists()
