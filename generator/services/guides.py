"""Out of the catalogue, what leads a model by a picture (ControlNets, IP-Adapters) and what enlarges pictures."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.prepared import Prepared
from generator.diffusion.spec import SpecError
from generator.diffusion.ways.spec import STRUCTURES, Way
from generator.models import Adapter, Checkpoint, Generation
from generator.services.assets import adapters_of, entry_of
from generator.services.refused import Refused

GUIDES = (Adapter.Kind.CONTROLNET, Adapter.Kind.IP_ADAPTER)
STYLE = "style"  # subject and style, beside the kinds of structure


def add_guides(generations: Sequence[Generation], *, user: User, team: Team) -> None:
    """Writes down with each request what leads it, as one of its adapters.

    Refused where nothing that `user` may use in `team` suits its model.
    """
    for generation in generations:
        checkpoint = generation.checkpoint
        offered = Adapter.objects.filter(family=checkpoint.family).offered_to(user, team)
        words = {"model": checkpoint.name, "kind": generation.structure_kind}
        if generation.structure_id:
            nets = offered.filter(kind=Adapter.Kind.CONTROLNET, structure=generation.structure_kind)
            says = _("For “%(model)s” there is no ControlNet for “%(kind)s” here. Choose another model or structure.")
            _add(generation, nets.first(), generation.structure_scale, says % words)
        if generation.reference_id:
            look = offered.filter(kind=Adapter.Kind.IP_ADAPTER).first()
            says = _("For “%(model)s” there is no IP-Adapter here. Choose another model.")
            _add(generation, look, generation.reference_scale, says % words)


def add_upscaler(generation: Generation, upscaler: Adapter) -> None:
    """Writes down what is to enlarge the picture. Refused for what is no upscaler, or where nothing is enlarged."""
    if upscaler.kind != Adapter.Kind.UPSCALER or generation.way not in (Way.UPSCALE, Way.HIRES):
        raise Refused(_("“%(name)s” cannot be used here. Leave it out.") % {"name": upscaler.name})
    generation.adapters = [*generation.adapters, entry_of(upscaler, 1.0)]


def upscaler_entry(generation: Generation) -> dict[str, Any] | None:
    """What was chosen to enlarge a picture, as the request wrote it down; None: the one that ships."""
    return next((entry for entry in generation.adapters if entry["kind"] == Adapter.Kind.UPSCALER), None)


def upscaler_of(generation: Generation) -> str:
    """Where the files of that lie; empty: the one that ships. Raises SpecError where it is gone."""
    entry = upscaler_entry(generation)
    if entry is None:
        return ""
    source = source_of_guide(generation, Adapter.Kind.UPSCALER)
    if not source:
        raise SpecError(_("“%(name)s” is no longer here. Leave it out.") % {"name": entry["name"]})
    return source


def _add(generation: Generation, adapter: Adapter | None, weight: float, says: str) -> None:
    if adapter is None:
        raise Refused(says)
    if all(entry["kind"] != adapter.kind for entry in generation.adapters):
        generation.adapters = [*generation.adapters, entry_of(adapter, weight)]


def source_of_guide(generation: Generation, kind: str) -> str:
    """Where the files of what leads a request lie; empty where it is gone."""
    found = [adapter.source for adapter in adapters_of(generation) if adapter.kind == kind]
    return found[0] if found else ""


_OFFERED: Prepared[tuple[str, str, str]] = Prepared(
    lambda user, team: (
        Adapter.objects.filter(kind__in=GUIDES)
        .offered_to(user, team)
        .order_by()
        .values_list("family", "kind", "structure")
    ),
    user=User,
    team=Team,
)


def guides_of_each(checkpoints: Sequence[Checkpoint], user: User, team: Team) -> dict[str, list[str]]:
    """What `user` can take over from a picture with each model, by its short name: kinds of structure, STYLE."""
    found = {*_OFFERED.rows(user=user, team=team)}
    return {one.slug: _guides(found, one) for one in checkpoints}


def _guides(found: set[tuple[str, str, str]], checkpoint: Checkpoint) -> list[str]:
    mine = {
        STYLE if kind == Adapter.Kind.IP_ADAPTER else structure
        for family, kind, structure in found
        if family == checkpoint.family
    }
    return [guide for guide in (*STRUCTURES, STYLE) if guide in mine]


def ways_of(guides: list[str]) -> list[Way]:
    """The ways in which a model that has these guides can make pictures here."""
    return [way for way in Way if way != Way.REFERENCE or guides]
