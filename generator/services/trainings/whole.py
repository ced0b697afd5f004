"""A kept point as a model of the team's: a diffusers folder with a card, for what is no adapter. Imports no torch."""

import os
import shutil
import uuid
from collections.abc import Callable
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generator.diffusion.train import points
from generator.models import Checkpoint, Training
from generator.services.refused import Refused
from generator.services.trainings import all_weights, from_scratch
from generator.services.trainings.planning import base_folder

DENOISERS = ("unet", "transformer")  # what of a point takes the place of the model's own


def take(training: Training, step: int) -> Checkpoint:
    """The model as it was at `step`. Refused where no such point was kept, or it was taken before."""
    if there := training.checkpoints.filter(point=step).first():
        raise Refused(_("This point is a model already (version %(n)d).") % {"n": there.version or 1})
    point = next((one for one in points.read(training.run / "points") if one.step == step), None)
    denoiser = next((name for name in DENOISERS if point and (point.folder / name).is_dir()), None)
    if point is None or denoiser is None:
        raise Refused(_("There is no such point. Choose one that is shown."))
    rest = training.run / "model" if training.is_scratch else base_folder(training.checkpoint)
    if rest is None or not rest.is_dir():
        raise Refused(_("The other parts of the model are gone. Put them back where they were, then try again."))
    told = from_scratch if training.is_scratch else all_weights
    slug = f"{slugify(training.name)[:36] or 'model'}-{get_random_string(8, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    place = Path(settings.MODELS_ROOT) / "library" / slug
    line = Checkpoint.objects.filter(training__team=training.team, name=training.name)
    version = (line.aggregate(last=Max("version"))["last"] or 0) + 1
    facts = told.facts_of(training, point)
    # A run writes its own model again while it goes on; a model in the library is replaced, never changed.
    bring = shutil.copyfile if training.is_scratch else _link_or_copy
    _shelve(rest, point.folder / denoiser, place, told.card_of(training, version, facts), bring)
    try:
        with transaction.atomic():
            made = _enter(training, step, place, version, told.entry_of(training, facts) | {"facts": facts})
            made.teams.set([training.team])
            if point.samples:
                made.sample.save(f"{slug}.png", ContentFile(point.samples[0].read_bytes()))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return made


def _shelve(rest: Path, denoiser: Path, place: Path, card: str, bring: Callable[[str, str], object]) -> None:
    """The parts beside the other models, whole or not at all."""
    workshop = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
    try:
        others = shutil.ignore_patterns(denoiser.name, ".*", "*.md")
        shutil.copytree(rest, workshop, ignore=others, copy_function=bring)
        shutil.copytree(denoiser, workshop / denoiser.name)
        (workshop / "README.md").write_text(card, encoding="utf-8")
        workshop.replace(place)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    """What stays as it was takes no room twice."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # on another disk, or one that knows no links
        shutil.copyfile(source, target)


def _enter(training: Training, step: int, place: Path, version: int, told: dict[str, Any]) -> Checkpoint:
    files: list[dict[str, Any]] = []
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            digest = file_digest(opened, "sha256").hexdigest()
        files.append({"name": str(file.relative_to(place)), "size": file.stat().st_size, "sha256": digest})
    return Checkpoint.objects.create(
        slug=place.name,
        name=training.name,
        source=str(place),
        weights_hash=sha256("".join(one["sha256"] for one in files).encode()).hexdigest(),
        files=files,
        size=sum(one["size"] for one in files),
        must_accept=training.checkpoint.must_accept,
        for_managers=training.checkpoint.for_managers,
        training=training,
        point=step,
        version=version,
        **told,
    )
