"""A run as its page shows it: the curve of its loss, its points, the time that is left."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator.charts import Lines, Series
from generator.models import Adapter, Checkpoint, Training

RELATED = ("team", "owner", "checkpoint", "job", "previous")
PLACES = 40  # of the curve: what lies between them is averaged


def curve(training: Training) -> str:
    """The loss as it was logged, and that of held-out views; "" before there is anything to see."""
    losses, held_out = _logged(training)
    if len(losses) < 2:
        return ""
    last = max(losses)
    width = max(1.0, last / PLACES)
    places = min(PLACES, last)
    rows: list[list[float | None]] = []
    for figures in (losses, held_out):
        shelves: list[list[float]] = [[] for _place in range(places)]
        for step, value in figures.items():
            shelves[min(places - 1, int((step - 1) / width))].append(value)
        rows.append([sum(shelf) / len(shelf) if shelf else None for shelf in shelves])
    titles = (_("Loss"), _("Loss on views held out"))
    series = [Series(title, row, tone) for title, row, tone in zip(titles, rows, ("accent", "plain"), strict=True)]
    names = [str(round((place + 1) * width)) for place in range(places)]
    return Lines(_("Loss by step"), names, [one for one in series if any(one.values)], show=_digits).draw()


def _digits(value: float) -> str:
    return f"{value:.3g}"


def _logged(training: Training) -> tuple[dict[int, float], dict[int, float]]:
    """(loss, loss on held-out views) by step, of whole lines only: a worker may be writing."""
    losses: dict[int, float] = {}
    held_out: dict[int, float] = {}
    try:
        text = training.log.read_text(encoding="utf-8")
    except FileNotFoundError:
        return losses, held_out
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if "loss" in said and said["step"] > 0:
            losses[said["step"]] = said["loss"]
        if "validation_loss" in said and said["step"] > 0:
            held_out[said["step"]] = said["validation_loss"]
    return losses, held_out


@dataclass(frozen=True)
class Lent:
    """What came of a training, and which teams beside its own have it. `teams`: those that the viewer may know of;
    `others`: how many more have it. `choices`: those that the viewer may lend it to; None: may not lend."""

    asset: Adapter | Checkpoint
    teams: list[Team]
    others: int
    choices: list[Team] | None


def lent(training: Training, viewer: User) -> list[Lent]:
    """Of each version that was taken of `training`: who has it. Only who may lend it is told of all teams."""
    may_lend = can(viewer, Action.CURATE, training.team)
    seen = {*Team.objects.where(viewer, Action.VIEW).values_list("pk", flat=True)}
    own = list(Team.objects.where(viewer, Action.CREATE).exclude(pk=training.team_id).order_by("name"))
    found = []
    for asset in training.taken.order_by("version").prefetch_related("teams"):
        having = sorted((team for team in asset.teams.all() if team.pk != training.team_id), key=str)
        known = [team for team in having if may_lend or team.pk in seen]
        choices = [team for team in own if team not in having] if may_lend else None
        found.append(Lent(asset, known, len(having) - len(known), choices))
    return found


def points_of(training: Training) -> list[dict[str, Any]]:
    """The kept points, “before” first, each with the adapter that it became and whether it is the proposed one."""
    taken = {one.point: one for one in training.taken.all()}
    return [
        {
            **point,
            "adapter": taken.get(point["step"]),
            "is_proposed": point["step"] == training.proposed,
            "percent": round(100 * point["likeness"]),
            "drifted": round(100 * point["drift"]),
            "sample_numbers": range(point["samples"]),
            "other_numbers": range(point["others"]),
        }
        for point in training.points
    ]
