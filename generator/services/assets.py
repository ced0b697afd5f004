"""Who may use which model, adapter and licence; and what adapters a request goes with."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Team, User
from accounts.permissions import can
from accounts.roles import Action, Role
from generator.diffusion import spec as engine
from generator.diffusion.ways.spec import HiresSpec
from generator.models import Adapter, Checkpoint, CommercialUse, Generation, LicenceAcceptance, ModelPolicy, Training
from generator.models.asset import Asset
from generator.services.refused import Refused

S = TypeVar("S")
WORN = (Adapter.Kind.LORA, Adapter.Kind.EMBEDDING)  # the others have places of their own in a spec
USED_AGAIN_SECONDS = 300  # "last used" need not be true to the second


class LicenceNotAccepted(Refused):
    """Nobody of the team has accepted the licence of `asset` yet: whoever may make pictures can do so."""

    def __init__(self, asset: Asset) -> None:
        words = {"name": asset.name, "licence": asset.licence_name}
        super().__init__(_("The licence of “%(name)s” (%(licence)s) is to be accepted before its first use.") % words)
        self.asset = asset


def choose_adapters(*, checkpoint: Checkpoint, chosen: Sequence[tuple[Adapter, float | None]]) -> list[dict[str, Any]]:
    """What `create_generation` takes as adapters. Refused for those that do not suit the model, or too many."""
    for adapter, _weight in chosen:
        if adapter.family != checkpoint.family:
            words = {"adapter": adapter.name, "model": checkpoint.name}
            raise Refused(_("“%(adapter)s” was not made for the model “%(model)s”. Leave it out.") % words)
    if len(chosen) > engine.MAX_ADAPTERS or len({adapter.pk for adapter, _weight in chosen}) < len(chosen):
        raise Refused(_("Choose each adapter once, and at most %(n)d of them.") % {"n": engine.MAX_ADAPTERS})
    return [entry_of(adapter, adapter.weight if weight is None else weight) for adapter, weight in chosen]


def settle(generations: Sequence[Generation], *, user: User, team: Team) -> None:
    """Adds the embeddings whose words stand in the prompts, and checks that `user` may use in `team` what they ask for.

    Raises Refused; LicenceNotAccepted where accepting a licence is all that it takes.
    """
    _add_embeddings(generations, user, team)
    entries = [entry for generation in generations for entry in generation.adapters]
    _check_points([entry for entry in entries if "training" in entry], user, team)
    wanted = {entry["slug"] for entry in entries if "training" not in entry}
    found = {adapter.slug: adapter for adapter in Adapter.objects.filter(slug__in=wanted)} if wanted else {}
    if gone := wanted - found.keys():
        raise Refused(_("“%(name)s” is no longer here. Leave it out.") % {"name": min(gone)})
    checkpoints = {generation.checkpoint.pk: generation.checkpoint for generation in generations}
    check_usable([*checkpoints.values(), *found.values()], user, team)
    for model, used in ((Checkpoint, checkpoints.values()), (Adapter, found.values())):
        _note_use(model, used)


def _check_points(entries: Sequence[dict[str, Any]], user: User, team: Team) -> None:
    """PermissionDenied unless `user` may see, in `team`, the trainings of points worn without being taken."""
    wanted = {entry["training"] for entry in entries}
    if wanted and Training.objects.visible_to(user).filter(team=team, pk__in=wanted).count() < len(wanted):
        raise PermissionDenied


def _note_use(model: type[Asset], used: Iterable[Asset]) -> None:
    now = timezone.now()
    stale = [one.pk for one in used if not one.last_used or (now - one.last_used).total_seconds() > USED_AGAIN_SECONDS]
    if stale:
        model._default_manager.filter(pk__in=stale).update(last_used=now)


def _add_embeddings(generations: Sequence[Generation], user: User, team: Team) -> None:
    families = {generation.checkpoint.family for generation in generations}
    known = Adapter.objects.filter(kind=Adapter.Kind.EMBEDDING, family__in=families).exclude(word="")
    embeddings = list(known.offered_to(user, team)) if known.exists() else []
    for generation in generations:
        words = {*re.findall(r"[^\s,()]+", f"{generation.prompt} {generation.negative_prompt}")}
        there = {entry["slug"] for entry in generation.adapters}
        words -= {entry["word"] for entry in generation.adapters}  # a point that is compared, and taken already
        generation.adapters = [
            *generation.adapters,
            *(
                entry_of(one, 1.0)
                for one in embeddings
                if one.family == generation.checkpoint.family and one.word in words and one.slug not in there
            ),
        ]


def entry_of(adapter: Adapter, weight: float) -> dict[str, Any]:
    """An adapter as a request writes it down."""
    facts = {name: getattr(adapter, name) for name in ("slug", "name", "kind", "word")}
    return {**facts, "weight": round(weight, 3), "hash": adapter.weights_hash, "licence": adapter.licence_name}


def check_usable(assets: Sequence[Asset], user: User, team: Team) -> None:
    """Refused where `user` may not use one of these in `team`: switched off, for others, its licence not accepted."""
    role = Membership.objects.filter(user=user, team=team).values_list("role", flat=True).first()
    for asset in assets:
        words = {"name": asset.name}
        if not asset.is_enabled:
            raise Refused(_("“%(name)s” is switched off. Choose another one.") % words)
        if asset.for_managers and role not in (Role.OWNER, Role.MANAGER):
            raise Refused(_("“%(name)s” is only for managers and owners. Choose another one.") % words)
        others = list(asset.teams.values_list("pk", flat=True))
        if others and team.pk not in others:
            raise Refused(_("“%(name)s” is not for this team. Choose another one.") % words)
        if asset.commercial_use == CommercialUse.NO and _is_commercial_only(team):
            says = _("“%(name)s” does not allow commercial use, and this team uses only what does. Choose another one.")
            raise Refused(says % words)
        if asset.must_accept and not is_accepted(asset, team):
            raise LicenceNotAccepted(asset)


def _is_commercial_only(team: Team) -> bool:
    return ModelPolicy.objects.filter(team=team, commercial_only=True).exists()


def is_accepted(asset: Asset, team: Team) -> bool:
    """Whether somebody has accepted its licence, as it is now, for `team` or for all."""
    rows = LicenceAcceptance.objects.filter(Q(team=None) | Q(team=team), licence=asset.licence)
    return rows.filter(**_key(asset)).exists()


@transaction.atomic
def accept_licence(*, user: User, asset: Asset, team: Team | None) -> LicenceAcceptance:
    """Records that `user` accepts the licence of a model or adapter, for `team`; None: for all, by an administrator.

    Raises PermissionDenied for whoever makes no pictures there.
    """
    if not (user.is_superuser if team is None else can(user, Action.CREATE, team)):
        raise PermissionDenied
    return LicenceAcceptance.objects.create(
        **_key(asset),
        asset=asset.name,
        licence=asset.licence,
        commercial_use=asset.commercial_use,
        team=team,
        user=user,
    )


def _key(asset: Asset) -> dict[str, Any]:
    return {"checkpoint" if isinstance(asset, Checkpoint) else "adapter": asset}


@transaction.atomic
def set_model_policy(*, user: User, team: Team, commercial_only: bool) -> None:
    """What a team allows itself. PermissionDenied unless the role manages people."""
    if not can(user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    ModelPolicy.objects.update_or_create(team=team, defaults={"commercial_only": commercial_only})


def point_entry(training: Training, step: int, slug: str, weight: float, digest: str) -> dict[str, Any]:
    """A kept point as a request writes it down, worn from where it lies: no adapter, as long as nobody takes it."""
    return {
        "slug": slug,
        "name": training.name,
        "kind": training.method,
        "word": training.word if training.method == Training.Method.EMBEDDING else "",
        "weight": round(weight, 3),
        "hash": digest,
        "licence": training.checkpoint.licence_name,
        "training": str(training.pk),
        "point": step,
    }


def adapters_of(generation: Generation) -> list[Adapter]:
    """The rows of what a request goes with, as far as they are still there."""
    slugs = [entry["slug"] for entry in generation.adapters]
    return list(Adapter.objects.filter(slug__in=slugs)) if slugs else []


def sources_of(generation: Generation) -> dict[str, str]:
    """By their short names, where what a request goes with lies; without what is no longer there."""
    found = {adapter.slug: adapter.source for adapter in adapters_of(generation)}
    points = [entry for entry in generation.adapters if "training" in entry]
    trainings = Training.objects.in_bulk({entry["training"] for entry in points}) if points else {}
    for entry in points:
        training = trainings.get(UUID(entry["training"]))
        file = training.point_file(entry["point"]) if training else None
        found.pop(entry["slug"], None)
        if file and file.is_file():
            found[entry["slug"]] = str(file)
    return found


def with_adapters(generation: Generation, spec: S) -> S:
    """A spec with the LoRAs and embeddings of its request. Raises engine.SpecError where one is no longer there."""
    if not generation.adapters:
        return spec
    if isinstance(spec, HiresSpec):
        return replace(spec, draw=with_adapters(generation, spec.draw))
    if not hasattr(spec, "adapters"):
        return spec
    sources = sources_of(generation)
    for entry in generation.adapters:
        if entry["slug"] not in sources:
            raise engine.SpecError(_("“%(name)s” is no longer here. Leave it out.") % {"name": entry["name"]})
    worn = tuple(
        engine.Adapter(sources[entry["slug"]], entry["weight"], entry["word"] if entry["kind"] == "embedding" else "")
        for entry in generation.adapters
        if entry["kind"] in WORN
    )
    return replace(spec, adapters=worn)  # type: ignore[type-var]
