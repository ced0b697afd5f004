"""Many prompts from a table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from atelier_cli import files, screen, table
from atelier_cli.options import Folder, Json, Team, agree, studio, team_id
from atelier_cli.studio import Studio
from atelier_cli.told import INTERRUPTED, REFUSED, Problem, Told

LOOK_EVERY = 1.0  # seconds
ENDED = ("done", "failed", "cancelled")
COLUMNS = {"checkpoint": "model", "name": "--name", "team": "--team", "visibility": "--visibility"}


def batch(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="Its first line names the columns; one is “prompt”.")
    ],
    folder: Folder = Path(),
    name: Annotated[str | None, typer.Option(help="What the batch is called; without it as the file.")] = None,
    team: Team = None,
    visibility: Annotated[str | None, typer.Option(help="private, team or published.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it starts.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Put it in line and do not wait.")] = False,
    as_json: Json = False,
) -> None:
    """Make pictures of every row of a CSV file, all of them or none. Ctrl-C leaves the batch to itself."""
    rows = table.read(file)
    files.folder_at(folder)
    with studio() as there:
        wanted = {
            "name": (name or file.stem)[:120],
            "generations": [request for _line, request in rows],
            "team": team_id(there, team),
            **({"visibility": visibility} if visibility else {}),
        }
        try:
            _ask(there.post("batches/estimate", wanted), yes)
            made = there.post("batches", wanted)
        except Problem as problem:
            raise problem.in_words(COLUMNS, [line for line, _request in rows]) from problem
        if detach:
            screen.as_json(made) if as_json else screen.result(made["id"])
            return
        now = _watch(there, made)
        found = fetch(there, made["id"], folder)
    if as_json:
        screen.as_json({**now, "media": found})
    else:
        for one in found:
            screen.result(one["file"])
    lost = {state: number for state, number in now["states"].items() if state != "done"}
    if lost:
        raise Told(", ".join(f"{number} {state}" for state, number in lost.items()) + f": {there.url}/queue/", REFUSED)


def fetch(studio: Studio, batch: str, folder: Path) -> list[dict[str, Any]]:
    """Brings the pictures of a batch that are not there yet; [{media, file}] of all."""
    return bring(studio, studio.get(f"batches/{batch}/media"), folder)


def bring(studio: Studio, media: list[str], folder: Path) -> list[dict[str, Any]]:
    """Brings those that are not there yet, with a bar; [{media, file, new}] of all."""
    found = []
    with screen.bar() as bar:
        shown = bar.add_task("Downloading", total=len(media), left="")
        for one in media:
            old = files.there(folder, one)
            found.append({"media": one, "file": str(old or files.fetch(studio, one, folder)), "new": old is None})
            bar.advance(shown)
    return found


def _ask(guess: dict[str, Any], yes: bool) -> None:
    """Says what it would cost and lets the person decide. Told when they decide against it."""
    time = "nobody can tell how long: no worker is there"
    if guess["seconds"]:
        least, most = (screen.duration(seconds) for seconds in guess["seconds"])
        time = f"about {least}" if least == most else f"about {least} to {most}"
    prompts, pictures, left = guess["prompts"], guess["pictures"], guess["pictures_left_today"]
    screen.say(f"{prompts} prompts, {pictures} pictures, {time}. You have {left} pictures left today.")
    if pictures > left:
        raise Told("That is more than you have left today.")
    agree(yes)


def _watch(studio: Studio, made: dict[str, Any]) -> dict[str, Any]:
    """The batch when all of it has ended. Told by Ctrl-C, which leaves it as it is."""
    now = made
    try:
        with screen.bar() as bar:
            shown = bar.add_task("Drawing", total=now["total"], left="")
            while (ended := sum(now["states"].get(state, 0) for state in ENDED)) < now["total"]:
                failed = now["states"].get("failed", 0)
                bar.update(shown, completed=ended, left=f"{failed} failed" if failed else "")
                studio.sleep(LOOK_EVERY)
                now = studio.get(f"batches/{made['id']}")
    except KeyboardInterrupt as stop:
        sentence = (
            f"The batch goes on. Later: atelier download --batch {made['id']}\nTo stop it: atelier cancel {made['id']}"
        )
        raise Told(sentence, INTERRUPTED) from stop
    return now
