"""Jobs: what runs, waits and was made, and taking one back."""

from typing import Annotated, Any
from uuid import UUID

import typer

from atelier_cli import screen
from atelier_cli.options import Json, Team, studio, team_id
from atelier_cli.studio import Studio
from atelier_cli.told import Problem


def jobs(
    state: Annotated[str | None, typer.Option(help="queued, running, paused, done, failed or cancelled.")] = None,
    team: Team = None,
    everybody: Annotated[bool, typer.Option("--all", help="Those of team-mates as well.")] = False,
    most: Annotated[int, typer.Option("--most", "-n", min=1, max=100, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Your jobs, the newest first."""
    with studio() as there:
        try:
            found = there.get(
                "jobs", state=state, team=team_id(there, team), mine=None if everybody else True, limit=most
            )["items"]
        except Problem as problem:
            raise problem.in_words({"query.state": "--state"}) from problem
    if as_json:
        screen.as_json(found)
        return
    rows = [[job["id"], job["state"], job["created"][:16].replace("T", " "), job["prompt"]] for job in found]
    screen.table(["Job", "State", "Asked for (UTC)", "Prompt"], rows)


def cancel(
    ids: Annotated[list[UUID], typer.Argument(metavar="ID…", help="Of jobs or batches.")], as_json: Json = False
) -> None:
    """Cancel jobs or whole batches: what waits at once, what runs within one step."""
    with studio() as there:
        found = [_cancel(there, one) for one in ids]
    if as_json:
        screen.as_json(found)
        return
    for one in found:
        state = one.get("state") or ", ".join(f"{number} {name}" for name, number in one["states"].items())
        screen.result(f"{one['id']} {state}")


def _cancel(studio: Studio, pk: UUID) -> dict[str, Any]:
    """The job, else the batch, afterwards."""
    try:
        return studio.post(f"jobs/{pk}/cancel")
    except Problem as problem:
        if problem.code != 404:
            raise
        return studio.post(f"batches/{pk}/cancel")
