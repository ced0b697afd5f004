"""Teaching the studio a thing or a style from pictures in a folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from atelier_cli import screen
from atelier_cli.options import Json, Team, agree, studio, team_id
from atelier_cli.studio import Event, Studio
from atelier_cli.told import INTERRUPTED, USAGE, Problem, Told

ENDINGS = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
# What the API calls it: what it is called here.
NAMES = {
    "name": "NAME",
    "changes.steps": "--steps",
    "changes.seed": "--seed",
    **{name: f"--{name}" for name in ("kind", "noun", "word", "method", "model", "rights", "people", "note")},
}


def train(
    name: Annotated[str, typer.Argument(help="What is taught is called.")],
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURES…", help="Files, or folders of them.")],
    rights: Annotated[str, typer.Option(help="Whose they are: own, client, licensed, generated or public.")],
    people: Annotated[
        str, typer.Option(help="nobody: nobody can be recognised in them; consent: everybody in them has agreed.")
    ],
    noun: Annotated[str, typer.Option(help="Of a subject: what kind of thing it is, such as bottle.")] = "",
    kind: Annotated[str, typer.Option(help="subject or style.")] = "subject",
    word: Annotated[str, typer.Option(help="What prompts call it by; without it made from the name.")] = "",
    method: Annotated[str, typer.Option(help="lora or embedding.")] = "lora",
    model: Annotated[str | None, typer.Option(help="Short name: atelier models.")] = None,
    steps: Annotated[int | None, typer.Option(help="Without it what suits the model and the pictures.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed teaches the same.")] = None,
    note: Annotated[str, typer.Option(help="Licence or source of the pictures.")] = "",
    team: Team = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it starts.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Put it in line and do not wait.")] = False,
    as_json: Json = False,
) -> None:
    """Teach a thing or a style from PICTURES, and take the best point as an adapter. Ctrl-C leaves it to itself."""
    files = _files(pictures)
    settings = {"kind": kind, "noun": noun, "word": word, "method": method, "model": model}
    changes = {key: value for key, value in {"steps": steps, "seed": seed}.items() if value is not None}
    with studio() as there:
        wanted = {"name": name, **settings, "changes": changes, "team": team_id(there, team)}
        try:
            draft = there.post("trainings", wanted)
            try:
                _bring(there, draft["id"], files)
                said = {"rights": rights, "people": people, "note": note}
                _ask(there.put(f"trainings/{draft['id']}/rights", said), yes)
                started = there.post(f"trainings/{draft['id']}/start")
            except BaseException:
                there.delete(f"trainings/{draft['id']}")
                raise
        except Problem as problem:
            raise problem.in_words(NAMES) from problem
        if detach:
            screen.as_json(started) if as_json else screen.result(started["id"])
            return
        _watch(there, started)
        best = next(point for point in there.get(f"trainings/{started['id']}")["points"] if point["is_proposed"])
        adapter = there.post(f"trainings/{started['id']}/points/{best['step']}")["adapter"]
    if as_json:
        screen.as_json({"training": started["id"], "point": best, "adapter": adapter})
        return
    called = ", ".join(adapter["triggers"]) or adapter["word"]
    screen.say(f"Prompts call it “{called}”: atelier generate “…” --adapter {adapter['slug']}")
    screen.result(adapter["slug"])


def _files(given: list[Path]) -> list[Path]:
    """All pictures, folders opened. Told for what is not there."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS)
        elif path.is_file():
            found.append(path)
        else:
            raise Told(f"{path} is not there.", USAGE)
    if not found:
        raise Told("There is no picture in it.", USAGE)
    return found


def _bring(studio: Studio, training: str, files: list[Path]) -> None:
    """Sends them all, and says what is wrong with which."""
    with screen.bar() as bar:
        shown = bar.add_task("Bringing pictures", total=len(files), left="")
        for file in files:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise Told(f"{file} cannot be read: {error.strerror}.", USAGE) from error
            told = studio.send(f"trainings/{training}/files", content, name=file.name[-200:])
            for problem in told["problems"]:
                screen.say(f"{file}: {problem['words']}")
            bar.advance(shown)


def _ask(draft: dict[str, Any], yes: bool) -> None:
    """Says what stands against it and what it would cost, and lets the person decide. Told when it does not start."""
    ready, cost = draft["readiness"], draft["cost"]
    for advice in ready["advice"]:
        screen.say(advice)
    if not ready["is_ready"]:
        raise Told("It cannot be learned from these pictures.")
    if cost:
        time = f"about {screen.duration(cost['seconds'])}" if cost["seconds"] else "nobody can tell yet how long"
        screen.say(f"{cost['steps']} steps, {time} of computing, {cost['pictures']} pictures of your day.")
    agree(yes)


def _watch(studio: Studio, training: dict[str, Any]) -> None:
    """Returns when it was trained to its end. Told when it ends otherwise, or by Ctrl-C, which leaves it as it is."""
    try:
        with screen.bar() as bar:
            shown = bar.add_task("In line", total=training["steps"], left="")
            ended = studio.follow(training["job"], lambda event: bar.update(shown, **_shown(event)))
    except KeyboardInterrupt as stop:
        raise Told(f"It goes on: {studio.url}{training['page']}", INTERRUPTED) from stop
    if ended["type"] == "job.failed":
        raise Told(ended["reason"] or "The training failed.")
    if ended["type"] == "job.cancelled":
        raise Told(f"Somebody stopped it. What it has kept: {studio.url}{training['page']}")


def _shown(event: Event) -> dict[str, Any]:
    """What the bar is to show after an event, in the words of rich."""
    if event["type"] == "job.progress" or event.get("state") == "running":
        left = f"{screen.duration(event['eta'])} left" if event.get("eta") else ""
        return {"description": "Learning", "completed": event["step"], "total": event["steps"] or None, "left": left}
    if event.get("blocked"):
        return {"description": screen.plain(event["blocked"]), "left": ""}
    return {"description": "Done" if event["type"] == "job.done" else "In line", "left": ""}
