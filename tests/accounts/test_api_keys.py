"""API keys: shown once, kept as a hash, worthless when revoked, expired, or their person may not come in."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.services import Refused, create_api_key, key_behind, revoke_api_key, set_active
from accounts.services.keys import MOST_KEYS


def test_only_the_hash_is_kept(alice):
    key, token = create_api_key(user=alice, name=" Script ")
    assert (key.name, key.scope, key.expires) == ("Script", ApiKey.Scope.READ, None)
    assert token.startswith(key.hint)
    assert token not in str(vars(ApiKey.objects.get()))
    assert key_behind(token) == key
    assert key_behind(key.token_hash) is None


def test_what_opens_nothing(alice, bob):
    key, token = create_api_key(user=alice, name="A")
    with pytest.raises(PermissionDenied):
        revoke_api_key(user=bob, key=key)
    revoke_api_key(user=alice, key=key)
    assert key_behind(token) is None

    key, token = create_api_key(user=alice, name="B", days=1)
    ApiKey.objects.filter(pk=key.pk).update(expires=timezone.now())
    assert key_behind(token) is None

    _key, token = create_api_key(user=alice, name="C")
    set_active(user=alice, active=False)
    assert key_behind(token) is None
    assert key_behind("") is None


def test_its_use_is_noted_at_most_once_a_minute(alice, django_assert_num_queries):
    key, token = create_api_key(user=alice, name="A")
    with django_assert_num_queries(2):
        key_behind(token)
    key.refresh_from_db()
    first = key.last_used
    with django_assert_num_queries(1):
        key_behind(token)
    ApiKey.objects.filter(pk=key.pk).update(last_used=first - timedelta(minutes=1))
    key_behind(token)
    key.refresh_from_db()
    assert key.last_used >= first


def test_one_person_has_a_bounded_number(alice, bob):
    for number in range(MOST_KEYS):
        key, _token = create_api_key(user=alice, name=str(number))
    with pytest.raises(Refused, match="50 keys"):
        create_api_key(user=alice, name="one more")
    create_api_key(user=bob, name="A")
    revoke_api_key(user=alice, key=key)
    create_api_key(user=alice, name="instead")


def test_the_page_shows_a_key_once_and_only_ones_own(as_, alice, bob):
    create_api_key(user=bob, name="Of Bob")
    client = as_(alice)
    answer = client.post("/account/keys/", {"name": "Nightly", "scope": "write", "days": "30"})
    token = re.search(r'value="(atl_[^"]+)"', answer.content.decode())[1]
    assert "no-store" in answer["Cache-Control"]
    key = key_behind(token)
    assert (key.user, key.scope) == (alice, ApiKey.Scope.WRITE)
    assert timedelta(days=29) < key.expires - timezone.now() <= timedelta(days=30)
    page = client.get("/account/keys/").content.decode()
    assert "Nightly" in page
    assert token not in page
    assert "Of Bob" not in page
    client.post(f"/account/keys/{key.pk}/revoke/", follow=True)
    assert key_behind(token) is None
    assert "Nightly" not in client.get("/account/keys/").content.decode()


def test_the_command_prints_only_the_key(alice, capsys):
    call_command("create_api_key", "Alice@Example.com")
    token = capsys.readouterr().out.removesuffix("\n")
    assert token == token.strip()
    key = key_behind(token)
    assert (key.user, key.scope, key.expires) == (alice, ApiKey.Scope.WRITE, None)
    call_command("create_api_key", "alice@example.com", "--name", "Nightly", "--scope", "read", "--days", "7")
    key = key_behind(capsys.readouterr().out.strip())
    assert (key.name, key.scope) == ("Nightly", ApiKey.Scope.READ)
    assert key.expires > timezone.now() + timedelta(days=6)


@pytest.mark.parametrize("args", [["nobody@example.com"], ["alice@example.com", "--days", "0"]])
def test_the_command_says_what_is_wrong(alice, args):
    with pytest.raises(CommandError):
        call_command("create_api_key", *args)
    assert not ApiKey.objects.exists()


def test_administrators_revoke_them(client, alice):
    _key, token = create_api_key(user=alice, name="A")
    client.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    action = {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]}
    client.post("/admin/accounts/apikey/", action)
    assert key_behind(token) is None
