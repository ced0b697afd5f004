"""Options that several commands take, and the studio that they ask."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from atelier_cli import account, screen
from atelier_cli.studio import Studio
from atelier_cli.told import USAGE, Told

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where pictures go.")]
Team = Annotated[str | None, typer.Option(help="Name or id of a team; without it the key's own.")]


def studio() -> Studio:
    """The one that the environment or the login names."""
    return Studio(account.load(), screen.say)


def team_id(studio: Studio, team: str | None) -> str | None:
    """The id of one of the person's teams by its name or id. Told when there is none, or several of that name."""
    if team is None:
        return None
    mine = studio.get("me")["teams"]
    found = [one["id"] for one in mine if team == one["id"] or team.casefold() == one["name"].casefold()]
    if len(found) != 1:
        names = ", ".join(one["name"] for one in mine)
        raise Told(f"You are in {len(found) or 'no'} teams called “{team}”. Yours are: {names}.", USAGE)
    return str(found[0])


def agree(yes: bool) -> None:
    """Lets the person decide whether to start, unless they said so before. Told when they decide against it."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Told("Say --yes to start it where nobody can be asked.", USAGE)
    if not typer.confirm("Start?", default=True, err=True):
        raise Told("Nothing was started.")
