"""How fit the pictures of a training are to learn from, and what is missing. Imports no torch."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generator.diffusion.train import checks, scratch_spec
from generator.models import Training, TrainingPicture

ENOUGH = 500  # pictures of a model from scratch that draws more than a handful of things


@dataclass(frozen=True)
class Readiness:
    """What stands between a set of pictures and its training. score: 0..100; duplicates: pairs of pictures."""

    score: int
    is_ready: bool
    advice: list[str]
    duplicates: list[tuple[UUID, UUID]]


def readiness(training: Training) -> Readiness:
    """How fit its pictures are to learn from, together, with what is missing of their rights."""
    if training.is_scratch:
        return _readiness_of_set(training)
    pictures = list(training.pictures.filter(removed=None))
    judged = checks.judge_set([_verdict(picture) for picture in pictures], training.kind)
    advice, is_ready = list(judged.advice), judged.is_ready
    if broken := sum(not picture.is_usable for picture in pictures):
        is_ready = False
        if len(pictures) == broken:
            advice = advice[:1]
    if unstated := sum(not picture.is_stated for picture in pictures):
        is_ready = False
        advice.append(_unstated(unstated))
    pairs = [(pictures[one].pk, pictures[other].pk) for one, other in judged.duplicates]
    return Readiness(judged.score, is_ready, advice, pairs)


def _verdict(picture: TrainingPicture) -> checks.Verdict:
    problems = tuple(checks.Problem(one["code"], one["severity"], one["words"]) for one in picture.problems)
    return checks.Verdict(picture.width, picture.height, problems, None, bytes.fromhex(picture.hash))


def _readiness_of_set(training: Training) -> Readiness:
    """Of thousands: by counting."""
    there, listed = training.usable_set, training.pictures.filter(removed=None).count()
    size = int(training.changes.get("size", scratch_spec.SIZES[0]))
    small = Q(width__lt=size) | Q(height__lt=size)
    said = there.order_by().aggregate(
        n=Count("pk"),
        small=Count("pk", filter=small),
        silent=Count("pk", filter=Q(caption="")),
        unstated=Count("pk", filter=Q(rights="") | Q(people="")),
    )
    count, is_ready, advice = said["n"], True, []
    gone = listed - count
    if count < scratch_spec.FEWEST:
        is_ready = False
        says = _("A model from scratch needs %(n)d pictures at the very least, and some hundreds to be of use.")
        advice.append(says % {"n": scratch_spec.FEWEST})
    elif count < ENOUGH:
        says = _(
            "With %(n)d pictures it will learn them by heart rather than what they have in common: %(m)d do better."
        )
        advice.append(says % {"n": count, "m": ENOUGH})
    if gone:
        advice.append(_("%(n)d of its pictures were deleted or made private since, and are left out.") % {"n": gone})
    if said["small"]:
        says = _("%(n)d pictures have fewer than %(m)d pixels a side and come out blurred.")
        advice.append(says % {"n": said["small"], "m": size})
    if said["silent"]:
        says = _(
            "%(n)d pictures have no words: prompts will not call them. Class folders, titles or prompts give some."
        )
        advice.append(says % {"n": said["silent"]})
    if said["unstated"]:
        is_ready = False
        advice.append(_unstated(said["unstated"]))
    lost = sum(min(25, 50 * part / max(1, listed)) for part in (said["small"], said["silent"], gone))
    score = max(0, round(min(100, 100 * (count / ENOUGH) ** 0.5) - lost))
    return Readiness(score, is_ready, advice, [])


def _unstated(count: int) -> str:
    says = ngettext(
        "Of %(n)d picture nobody has said whose it is, and that whoever is in it agrees.",
        "Of %(n)d pictures nobody has said whose they are, and that whoever is in them agrees.",
        count,
    )
    return says % {"n": count}
