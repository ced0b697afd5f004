"""Which studio, and as whom."""

import sys
from typing import Annotated

import typer

from atelier_cli import account, screen
from atelier_cli.options import Json, studio
from atelier_cli.studio import Studio
from atelier_cli.told import NO_KEY, Told

Address = Annotated[str, typer.Argument(help="The studio's address.", envvar="ATELIER_URL")]
LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]", "https://")


def login(url: Address = account.USUAL) -> None:
    """Keep a studio's address and a key, for this user only.

    The key is made on the account page under “API keys”. It is asked for unseen, or read from standard input.
    """
    url = account.checked(url)
    if sys.stdin.isatty():
        screen.say(f"Make a key under {url}/account/keys/ that may read and change.")
        key = typer.prompt("Key", hide_input=True, err=True).strip()
    else:
        key = sys.stdin.readline().strip()
    if not key.isascii() or not key or " " in key:
        raise Told("This is no key. It looks like atl_…", NO_KEY)
    found = account.Account(url, key)
    with Studio(found, screen.say) as there:
        me = there.get("me")
    file = account.save(found)
    screen.say(f"Logged in to {url} as {me['name'] or me['email']}. The key is kept in {file}.")
    if me["key"] and me["key"]["scope"] == "read":
        screen.say("This key may only read: it makes no pictures.")
    if not url.startswith(LOCAL):
        screen.say(
            "The key travels without encryption. Reach the studio by https:// wherever others share the network."
        )


def logout() -> None:
    """Forget the address and the key on this machine. The key itself is revoked on the account page."""
    screen.say("Forgotten." if account.forget() else "Nothing was kept.")


def me(as_json: Json = False) -> None:
    """Whose key it is, and what is left of the day."""
    with studio() as there:
        told = there.get("me")
    if as_json:
        screen.as_json(told)
        return
    screen.result(f"{told['name'] or told['email']} at {there.url}")
    screen.result(f"{told['pictures_left_today']} of {told['pictures_per_day']} pictures left today")
    screen.table(["Team", "Role"], [[team["name"], team["role"]] for team in told["teams"]])
