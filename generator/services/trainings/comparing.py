"""What the kept points of a training draw at several weights, side by side: one batch, a picture for each pair."""

from collections.abc import Sequence
from hashlib import file_digest
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Media
from generator.models import Batch, Generation, Training
from generator.services.assets import point_entry
from generator.services.batches import BatchEstimate, create_batch, estimate_batch
from generator.services.creating import prepare
from generator.services.refused import Refused
from generator.services.trainings.planning import spec_as_taught
from generator.services.trainings.results import slug_of

WEIGHTS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)  # to choose from
USUAL = WEIGHTS[1:-1]
MOST_COMPARED = 200  # pictures


def weights_of(training: Training) -> tuple[float, ...]:
    """What its points can be worn at: an embedding is a word, and has no weight."""
    return WEIGHTS if training.method == Training.Method.LORA else (1.0,)


def usual_comparison(training: Training) -> dict[str, Any]:
    """What `compare_points` is asked for where nobody says otherwise: the first sample's prompt, all points."""
    spec = None if training.is_draft or training.makes_model else spec_as_taught(training)
    return {
        "prompt": next(iter(spec.sample_prompts()), spec.caption("")) if spec else "",
        "seed": training.spec.get("seed", 0),
        "points": [point["step"] for point in training.points if point["step"]],
        "weights": [weight for weight in weights_of(training) if weight in USUAL],
    }


def comparison_cost(*, user: User, training: Training, pictures: int) -> BatchEstimate:
    """What so many pictures would cost `user`. Raises Refused where its model cannot draw now."""
    one = prepare(checkpoint=training.checkpoint, prompt=training.word, count=1)
    return estimate_batch(user=user, generations=[one] * pictures)


def compare_points(
    *,
    user: User,
    training: Training,
    prompt: str,
    seed: int,
    points: Sequence[int],
    weights: Sequence[float],
    pk: UUID | None = None,
) -> Batch:
    """Puts a picture of each kept point at each weight in line, all of one prompt and seed, for the whole team to see.

    On the quota of `user`, who makes pictures in its team; a point need not have been taken for it. Raises
    PermissionDenied, Refused; with the same `pk` again, IntegrityError.
    """
    if not (can(user, Action.CREATE, training.team) and Training.objects.visible_to(user).filter(pk=training.pk)):
        raise PermissionDenied
    _check(training, points, weights)
    generations = [one for step in points for one in _row(training, step, weights, prompt, seed)]
    return create_batch(
        user=user,
        team=training.team,
        name=_("%(name)s: points compared") % {"name": training.name},
        origin=Batch.Origin.COMPARISON,
        generations=generations,
        visibility=Media.Visibility.TEAM,
        training=training,
        pk=pk,
    )


def _check(training: Training, points: Sequence[int], weights: Sequence[float]) -> None:
    if training.makes_model:
        raise Refused(_("Its points are whole models, which are not worn. Look at their samples."))
    if training.is_draft:
        raise Refused(_("It has learned nothing yet. Start it first."))
    if training.is_under_way:
        raise Refused(_("This is under way. Compare its points when it has ended, or stop it first."))
    if not points or not weights:
        raise Refused(_("Choose a point and a weight at least."))
    if len(points) * len(weights) > MOST_COMPARED:
        raise Refused(
            _("A comparison has at most %(n)d pictures. Choose fewer points or weights.") % {"n": MOST_COMPARED}
        )
    kept = {point["step"] for point in training.points if point["step"]}
    if not kept.issuperset(points) or not {*weights_of(training)}.issuperset(weights):
        raise Refused(_("There is no such point or weight. Choose among those that are shown."))
    if gone := next((step for step in points if not training.point_file(step).is_file()), None):
        raise Refused(_("The file of the point at step %(n)d is gone. Leave it out.") % {"n": gone})


def _row(training: Training, step: int, weights: Sequence[float], prompt: str, seed: int) -> list[Generation]:
    with training.point_file(step).open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    slug = slug_of(training, step)
    titled = _("Step %(step)d, weight %(weight)s") if len(weights_of(training)) > 1 else _("Step %(step)d")
    return [
        prepare(
            checkpoint=training.checkpoint,
            prompt=prompt,
            seed=seed,
            count=1,
            title=titled % {"step": step, "weight": weight},
            adapters=[point_entry(training, step, slug, weight, digest)],
        )
        for weight in weights
    ]
