"""What pictures can be made with."""

from atelier_cli import screen
from atelier_cli.options import Json, Team, studio, team_id


def models(team: Team = None, as_json: Json = False) -> None:
    """The models that you may use, the one chosen at first before the others."""
    with studio() as there:
        found = there.get("models", team=team_id(there, team))
    if as_json:
        screen.as_json(found)
        return
    rows = [
        [
            one["slug"] + (" *" if one["is_default"] else ""),
            one["name"],
            f"{one['native_size']} px",
            one["steps"],
            one["licence"]["name"] + ("" if one["licence"]["is_accepted"] else " (to be accepted)"),
            ", ".join(one["schedulers"]),
        ]
        for one in found
    ]
    screen.table(["Model", "Name", "Size", "Steps", "Licence", "Schedulers"], rows)


def styles(team: Team = None, as_json: Json = False) -> None:
    """The styles and formats that a team is offered."""
    with studio() as there:
        found = there.get("presets", team=team_id(there, team))
    if as_json:
        screen.as_json(found)
        return
    screen.table(
        ["Style", "Name", "Models"], [[one["slug"], one["name"], ", ".join(one["families"])] for one in found["styles"]]
    )
    screen.table(["Format", "Name", "Ratio"], [[one["slug"], one["name"], one["ratio"]] for one in found["formats"]])
