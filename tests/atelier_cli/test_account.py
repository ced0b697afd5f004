"""Where a key comes from, who can read it, and where it may go."""

import pytest

from atelier_cli import account
from atelier_cli.account import Account
from atelier_cli.told import NO_KEY, Told

KEPT = Account("https://studio.example", "atl_kept")


def test_a_kept_login_is_only_for_its_user(home):
    file = account.save(KEPT)
    assert account.load() == KEPT
    assert file == home / "atelier" / "login.json"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    account.save(Account(KEPT.url, "atl_new"))
    assert account.load().key == "atl_new"
    assert [path.name for path in file.parent.iterdir()] == ["login.json"]
    assert account.forget()
    assert not account.forget()


def test_the_environment_comes_first(monkeypatch):
    account.save(KEPT)
    monkeypatch.setenv("ATELIER_API_KEY", "atl_other")
    assert account.load() == Account(KEPT.url, "atl_other")
    monkeypatch.setenv("ATELIER_URL", "http://other.example:8000/")
    assert account.load() == Account("http://other.example:8000", "atl_other")


def test_a_kept_key_goes_to_no_other_studio(monkeypatch):
    account.save(KEPT)
    monkeypatch.setenv("ATELIER_URL", KEPT.url + "/")
    assert account.load() == KEPT
    monkeypatch.setenv("ATELIER_URL", "https://studio.example.evil")
    with pytest.raises(Told, match=r"is for https://studio\.example"):
        account.load()


def test_without_a_key_it_says_where_to_get_one():
    with pytest.raises(Told, match="/account/keys/") as told:
        account.load()
    assert told.value.status == NO_KEY


def test_a_damaged_file(home):
    account.save(KEPT).write_text("{")
    with pytest.raises(Told, match="Log in again"):
        account.load()


@pytest.mark.parametrize("url", ["studio", "ftp://studio", "http://", "http://me@studio", "http://studio/?x=1"])
def test_what_is_no_address(url):
    with pytest.raises(Told, match="no address of a studio"):
        account.checked(url)
