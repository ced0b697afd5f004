"""What a training has taught: a kept point becomes an adapter of the team, is shared with others, and is retired."""

import shutil
from hashlib import blake2s, sha256
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator.diffusion.train import points
from generator.models import Adapter, Checkpoint, Training
from generator.services.refused import Refused
from generator.services.trainings import whole

HEAVIEST = 2.0


def choose_point(*, user: User, training: Training, step: int, weight: float | None = None) -> Adapter | Checkpoint:
    """Takes a kept point as an adapter (or a model) of the training's team, its next version; while it goes on, too.

    `weight` is that of the adapter where a request says none; None: 1. What the model's licence allows holds for it as
    well. Raises PermissionDenied, Refused.
    """
    if weight is not None and not 0 < weight <= HEAVIEST:
        raise Refused(_("The weight is a number above 0, and %(n)d at most.") % {"n": HEAVIEST})
    found = Training.objects.changeable_by(user).filter(pk=training.pk).select_related("checkpoint", "team").first()
    if found is None:
        raise PermissionDenied
    training = found
    if training.makes_model:
        return whole.take(training, step)
    if there := training.adapters.filter(point=step).first():
        raise Refused(_("This point is an adapter already (version %(n)d).") % {"n": there.version or 1})
    point = next((one for one in points.read(training.run / "points") if one.step == step and step), None)
    source = training.point_file(step)
    if point is None or not source.is_file():
        raise Refused(_("There is no such point. Choose one that is shown."))
    slug = slug_of(training, step)
    place = _shelved(source, slug)
    try:
        with transaction.atomic():
            adapter = _enter(training, step, slug, place, weight or 1.0)
            adapter.teams.set([training.team])
            if point.samples:
                adapter.sample.save(f"{slug}.png", ContentFile(point.samples[0].read_bytes()))
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return adapter


def read_sample(training: Training, step: int, kind: Literal["sample", "other"], number: int) -> bytes | None:
    """The PNG of what a kept point draws: of the new thing, or of others; None where there is no such picture."""
    try:
        return (training.run / "points" / f"step-{step:08d}" / f"{kind}-{number}.png").read_bytes()
    except FileNotFoundError:
        return None


def slug_of(training: Training, step: int) -> str:
    """What a point is called as an adapter, now and once it is one: what it has drawn can then be drawn again."""
    mark = blake2s(f"{training.pk} {step}".encode(), digest_size=5).hexdigest()
    return f"{slugify(training.name)[:36] or 'taught'}-{mark}"


def _shelved(source: Path, slug: str) -> Path:
    """A copy beside the other models, whole or not at all."""
    place = Path(settings.MODELS_ROOT) / "library" / f"{slug}.safetensors"
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".coming")
    shutil.copyfile(source, fresh)
    fresh.replace(place)
    return place


def _enter(training: Training, step: int, slug: str, place: Path, weight: float) -> Adapter:
    content = place.read_bytes()
    digest, model = sha256(content).hexdigest(), training.checkpoint
    line = Adapter.objects.filter(training__team=training.team, name=training.name, training__kind=training.kind)
    version = (line.aggregate(last=Max("version"))["last"] or 0) + 1
    called = training.word if training.kind == Training.Kind.STYLE or not training.noun else _called(training)
    return Adapter.objects.create(
        slug=slug,
        name=training.name,
        source=str(place),
        weight=weight,
        family=model.family,
        kind=Adapter.Kind(training.method),
        word=_free_word(training, version) if training.method == Training.Method.EMBEDDING else "",
        weights_hash=digest,
        files=[{"name": place.name, "size": len(content), "sha256": digest}],
        size=len(content),
        facts={"base": model.name, "base_hash": training.base_hash, "training": str(training.pk), "step": step},
        triggers=[called] if training.method == Training.Method.LORA else [],
        licence_name=model.licence_name,
        licence_url=model.licence_url,
        commercial_use=model.commercial_use,
        attribution=model.attribution,
        for_managers=model.for_managers,
        training=training,
        point=step,
        version=version,
    )


def _called(training: Training) -> str:
    return f"{training.word} {training.noun}"


def _free_word(training: Training, version: int) -> str:
    """Its word, and from another version of it on one of its own: a prompt can name only one."""
    taken = Adapter.objects.filter(kind=Adapter.Kind.EMBEDDING, family=training.checkpoint.family)
    words = {*taken.filter(word__startswith=training.word).values_list("word", flat=True)}
    if training.word not in words:
        return training.word
    return next(word for n in range(version, 10_000) if (word := f"{training.word}-{n}") not in words)


@transaction.atomic
def share_adapter(*, user: User, adapter: Adapter | Checkpoint, team: Team, shared: bool = True) -> None:
    """Lends what a team was taught to another that `user` makes pictures in, or takes it back."""
    home = _home(user, adapter, Action.CURATE)
    if team.pk == home.pk:
        raise Refused(_("It belongs to this team."))
    if not shared:
        adapter.teams.remove(team)
    elif can(user, Action.CREATE, team):
        adapter.teams.add(team)
    else:
        raise PermissionDenied


def retire_adapter(*, user: User, adapter: Adapter | Checkpoint, retired: bool = True) -> None:
    """Takes it out of the menus, or puts it back: its maker, or who curates. What was made with it stays."""
    _home(user, adapter, Action.CURATE, or_maker=True)
    type(adapter).objects.filter(pk=adapter.pk).update(is_enabled=not retired)


def _home(user: User, adapter: Adapter | Checkpoint, action: Action, *, or_maker: bool = False) -> Team:
    """The team that it was taught for. PermissionDenied unless `user` may do that there, or has taught it."""
    training = adapter.training
    if training is None:
        raise PermissionDenied
    is_maker = or_maker and training.owner_id == user.pk and can(user, Action.CREATE, training.team)
    if not (is_maker or can(user, action, training.team)):
        raise PermissionDenied
    return training.team
