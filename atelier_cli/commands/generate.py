"""Pictures from words, watched while they emerge."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from atelier_cli import files, screen
from atelier_cli.options import Folder, Json, Team, studio, team_id
from atelier_cli.studio import Event, Studio
from atelier_cli.told import INTERRUPTED, Problem, Told

# What the API calls it: what it is called here.
NAMES = {
    "prompt": "PROMPT",
    "checkpoint": "--model",
    "negative_prompt": "--negative",
    "aspect": "--size",
    "format": "--size",
    "adapters": "--adapter",
    **{
        name: f"--{name}" for name in ("count", "steps", "guidance", "seed", "scheduler", "style", "team", "visibility")
    },
}
SIZE = re.compile(r"(\d+)x(\d+)")


def generate(
    prompt: Annotated[str, typer.Argument(help="What is to be seen.")],
    folder: Folder = Path(),
    model: Annotated[
        str | None, typer.Option(help="Short name: atelier models. Without it the one chosen at first.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="Pictures, 1 to 8.")] = 1,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT|WxH",
            help="square, portrait, story…, or proportions such as 1200x628, at the model's own size.",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed draws the same.")] = None,
    negative: Annotated[str | None, typer.Option(help="What is not to be seen.")] = None,
    style: Annotated[str | None, typer.Option(help="Short name of a style.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How closely it keeps to the prompt.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Short name: atelier models.")] = None,
    adapter: Annotated[
        list[str] | None, typer.Option(metavar="SLUG[:WEIGHT]", help="A LoRA; may be given again.")
    ] = None,
    team: Team = None,
    visibility: Annotated[str | None, typer.Option(help="private, team or published.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Put it in line and do not wait.")] = False,
    as_json: Json = False,
) -> None:
    """Make pictures of a PROMPT and bring them here. Ctrl-C cancels the job."""
    chosen = {
        "checkpoint": model,
        "negative_prompt": negative,
        "steps": steps,
        "seed": seed,
        "style": style,
        "guidance": guidance,
        "scheduler": scheduler,
        "visibility": visibility,
        "adapters": [_adapter(text) for text in adapter] if adapter else None,
        **_size(size),
    }
    files.folder_at(folder)
    with studio() as there:
        chosen["team"] = team_id(there, team)
        wanted = {name: value for name, value in chosen.items() if value is not None}
        try:
            job = there.post("generations", {"prompt": prompt, "count": count, **wanted})
        except Problem as problem:
            raise problem.in_words(NAMES) from problem
        if detach:
            screen.as_json(job) if as_json else screen.result(job["id"])
            return
        ended = watch(there, job)
        found = [{"media": media, "file": str(files.fetch(there, media, folder))} for media in ended["media"]]
        if as_json:
            screen.as_json({"job": job["id"], "state": "done", "seed": job["settings"]["seed"], "media": found})
            return
        for one in found:
            screen.result(one["file"])


def watch(studio: Studio, job: dict[str, Any]) -> Event:
    """Shows how it emerges; the event of its end. Told when it ends otherwise, or by Ctrl-C, which cancels it."""
    try:
        with screen.bar() as bar:
            shown = bar.add_task("In line", total=job["settings"]["steps"], left="")
            ended = studio.follow(job["id"], lambda event: bar.update(shown, **_shown(event)))
    except KeyboardInterrupt as stop:
        screen.say(f"Cancelling job {job['id']} …")
        studio.post(f"jobs/{job['id']}/cancel")
        ended = studio.follow(job["id"], lambda _event: None)  # what runs stops after its step
        raise Told(f"It is {ended['type'].removeprefix('job.')}.", INTERRUPTED) from stop
    if ended["type"] == "job.failed":
        raise Told(ended["reason"] or "The job failed.")
    if ended["type"] == "job.cancelled":
        raise Told("Somebody cancelled the job.")
    return ended


def _shown(event: Event) -> dict[str, Any]:
    """What the bar is to show after an event, in the words of rich."""
    eta = f"{screen.duration(event['eta'])} left" if event.get("eta") else ""
    if event["type"] == "job.progress" or event.get("state") == "running":
        return {"description": "Drawing", "completed": event["step"], "total": event["steps"] or None, "left": eta}
    if event["type"] == "job.done":
        return {"description": "Done", "left": ""}
    if event.get("blocked"):
        return {"description": screen.plain(event["blocked"]), "left": ""}
    before = event.get("position")
    starts = f"starts in about {screen.duration(event['eta'])}" if event.get("eta") else ""
    return {"description": f"In line, {before} before it" if before else "In line", "left": starts}


def _size(size: str | None) -> dict[str, Any]:
    if size and (sides := SIZE.fullmatch(size)):
        return {"aspect": [int(side) for side in sides.groups()]}
    return {"format": size}


def _adapter(text: str) -> dict[str, Any]:
    slug, colon, weight = text.partition(":")
    return {"slug": slug, "weight": weight} if colon else {"slug": slug}
