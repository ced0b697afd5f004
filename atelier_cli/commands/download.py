"""Pictures of the gallery into a folder."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from atelier_cli import files, screen
from atelier_cli.commands.batch import bring
from atelier_cli.options import Folder, Json, studio
from atelier_cli.studio import Studio
from atelier_cli.told import USAGE, Problem, Told

PAGE = 100


def download(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…|WORDS]", help="Ids of pictures, or words to look for.")
    ] = None,
    folder: Folder = Path(),
    batch: Annotated[UUID | None, typer.Option(metavar="ID", help="Pictures of a batch.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only your own.")] = False,
    album: Annotated[UUID | None, typer.Option(metavar="ID", help="Only those of an album.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only reviewed so: approved, asked, changes, rejected, none.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only made since.")] = None,
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only made until.")] = None,
    most: Annotated[
        int, typer.Option("--most", "-n", min=1, help="How many of what is found, the newest or best first.")
    ] = 100,
    as_json: Json = False,
) -> None:
    """Bring pictures here: by their ids, of a batch, or what a search finds. What is there already is skipped."""
    words = what or []
    narrowed = {"album": album, "tag": tag, "status": status, "since": since, "until": until}
    searches = mine or any(narrowed.values()) or not all(_is_id(word) for word in words)
    if searches + bool(batch) + bool(words and not searches) != 1:
        raise Told("Say ids of pictures, or --batch, or words and filters to look for: one of the three.", USAGE)
    with studio() as there:
        if searches:
            tab = "mine" if mine else None
            media = _found(there, most, q=" ".join(words) or None, tab=tab, **narrowed)
        else:
            media = there.get(f"batches/{batch}/media") if batch else words
        found = bring(there, media, files.folder_at(folder))
    if as_json:
        screen.as_json(found)
        return
    for one in found:
        screen.result(one["file"])
    new = sum(one["new"] for one in found)
    screen.say(f"{new} brought, {len(found) - new} there already.")


def _found(studio: Studio, most: int, **query: Any) -> list[str]:
    """Ids of the pictures that a search finds, at most so many; says when there are more."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        try:
            page = studio.get("media", limit=min(PAGE, most - len(found)), cursor=cursor, **query)
        except Problem as problem:
            raise problem.in_words({f"query.{name}": f"--{name}" for name in query}) from problem
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None or len(found) >= most:
            break
    if cursor:
        screen.say(f"There are more than {most}. For all of them: --most")
    return found


def _is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True
