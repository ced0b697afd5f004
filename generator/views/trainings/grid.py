"""A comparison of points as the page of its training shows it: a row for each point, a column for each weight."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from generator.models import Batch, Training
from generator.services import Refused, trainings
from generator.training_forms import ComparisonForm
from generator.views.batch_cards import BatchCard, batch_cards
from generator.views.cards import RELATED, Card, cards
from generator.views.trainings.showing import points_of

SHOWN = 6  # earlier ones


@dataclass(frozen=True)
class Row:
    """A point, and at each weight what it has drawn; None where that was not asked for."""

    point: dict[str, Any]
    cells: list[Card | None]


@dataclass(frozen=True)
class Grid:
    """One comparison."""

    batch_card: BatchCard
    prompt: str
    seed: int
    weights: list[float]
    rows: list[Row]


def comparison(request: HttpRequest, training: Training) -> dict[str, Any]:
    """The latest comparison that the person sees, and the addresses of those before."""
    found = Batch.objects.visible_to(request.user).filter(training=training).select_related("owner", "team")
    batches = list(found[: SHOWN + 1])
    grid = _grid(request, training, batches[0]) if batches else None
    return {"grid": grid, "batch": batches[0] if batches else None, "earlier": batches[1:]}


def _grid(request: HttpRequest, training: Training, batch: Batch) -> Grid:
    jobs = batch.jobs.visible_to(request.user).filter(hidden=False).select_related(*RELATED).order_by("position", "pk")
    found: dict[tuple[int, float], Card] = {}
    for card in cards(jobs, request.user, outlooks=False):
        worn = next(entry for entry in card.generation.adapters if "training" in entry)
        found[worn["point"], worn["weight"]] = card
    first = next(iter(found.values())).generation
    weights = sorted({weight for _step, weight in found})
    steps = sorted({step for step, _weight in found})
    points = {point["step"]: point for point in points_of(training)}
    rows = [Row(points.get(step, {"step": step}), [found.get((step, weight)) for weight in weights]) for step in steps]
    return Grid(batch_cards([batch], request.user)[0], first.prompt, first.seed, weights, rows)


def asking(request: HttpRequest, training: Training, form: ComparisonForm | None = None) -> dict[str, Any]:
    """The form for another comparison with what it would cost, where the points of `training` can be compared now."""
    if training.makes_model or training.is_under_way or not any(point["step"] for point in training.points):
        return {}
    form = form or ComparisonForm(training=training, initial={"batch": uuid4()})
    context: dict[str, Any] = {"compare": form}
    try:
        context["cost"] = trainings.comparison_cost(user=request.user, training=training, pictures=form.pictures)
    except Refused as refusal:
        context["cannot"] = str(refusal)
    return context
