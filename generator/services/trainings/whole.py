"""A kept point of a model from scratch as a model of the team's: a diffusers folder with a card. Imports no torch."""

import json
import shutil
import uuid
from collections import Counter
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Count, Max
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from gallery.models import Upload
from generator.diffusion.train import points
from generator.models import Checkpoint, Training
from generator.services.refused import Refused

DENOISER = "unet"  # what of a point takes the place of the model's own
STEPS, GUIDANCE = 20, 4.0  # as the engine draws samples
FREE = frozenset({Upload.Whose.OWN, Upload.Whose.PUBLIC, Upload.Whose.GENERATED})
LISTED = 12  # words on the card


def take(training: Training, step: int) -> Checkpoint:
    """The model as it was at `step`. Refused where no such point was kept, or it was taken before."""
    if there := training.checkpoints.filter(point=step).first():
        raise Refused(_("This point is a model already (version %(n)d).") % {"n": there.version or 1})
    point = next((one for one in points.read(training.run / "points") if one.step == step), None)
    model = training.run / "model"
    if point is None or not (point.folder / DENOISER).is_dir() or not model.is_dir():
        raise Refused(_("There is no such point. Choose one that is shown."))
    slug = f"{slugify(training.name)[:36] or 'model'}-{get_random_string(8, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    place = Path(settings.MODELS_ROOT) / "library" / slug
    line = Checkpoint.objects.filter(training__team=training.team, name=training.name)
    version = (line.aggregate(last=Max("version"))["last"] or 0) + 1
    facts = _facts(training, point)
    _shelve(model, point, place, _card(training, version, facts))
    try:
        with transaction.atomic():
            made = _enter(training, point, slug, place, version, facts)
            made.teams.set([training.team])
            if point.samples:
                made.sample.save(f"{slug}.png", ContentFile(point.samples[0].read_bytes()))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return made


def _shelve(model: Path, point: points.Point, place: Path, card: str) -> None:
    """A copy beside the other models, whole or not at all."""
    workshop = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
    try:
        shutil.copytree(model, workshop)
        shutil.rmtree(workshop / DENOISER, ignore_errors=True)
        shutil.copytree(point.folder / DENOISER, workshop / DENOISER)
        (workshop / "README.md").write_text(card, encoding="utf-8")
        workshop.replace(place)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _facts(training: Training, point: points.Point) -> dict[str, Any]:
    """Where it comes from, for its entry and its card."""
    learned = training.pictures.filter(removed=None)
    rights = Counter(dict(learned.order_by().values_list("rights").annotate(Count("pk"))))
    table = (training.folder / "pictures" / "metadata.jsonl").read_bytes()
    words = Counter(json.loads(line)["text"] for line in table.decode().splitlines())
    return {
        "training": str(training.pk),
        "step": point.step,
        "pictures": sum(words.values()),
        "data_hash": sha256(table).hexdigest(),
        "rights": dict(rights),
        "notes": sorted({*learned.exclude(rights_note="").order_by().values_list("rights_note", flat=True)[:LISTED]}),
        "words": [word for word, _count in words.most_common(LISTED) if word],
        "validation": round(point.measures.validation, 5),
        "nearest": point.measures.nearest,
        "text_encoder": training.checkpoint.name,
    }


def _enter(
    training: Training, point: points.Point, slug: str, place: Path, version: int, facts: dict[str, Any]
) -> Checkpoint:
    encoder = training.checkpoint  # whose text encoder lies in the folder: its licence holds for that
    files: list[dict[str, Any]] = []
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            digest = file_digest(opened, "sha256").hexdigest()
        files.append({"name": str(file.relative_to(place)), "size": file.stat().st_size, "sha256": digest})
    return Checkpoint.objects.create(
        slug=slug,
        name=training.name,
        source=str(place),
        family="starter",
        native_size=training.spec["size"],
        default_steps=STEPS,
        default_guidance=GUIDANCE,
        suggestions=facts["words"][:6],
        weights_hash=sha256("".join(one["sha256"] for one in files).encode()).hexdigest(),
        files=files,
        size=sum(one["size"] for one in files),
        facts=facts,
        licence_name=_licence_of(training),
        licence_url=encoder.licence_url,
        commercial_use=_commercial_use(facts, encoder),
        attribution="; ".join(filter(None, [*facts["notes"], encoder.attribution]))[:2000],
        must_accept=encoder.must_accept,
        for_managers=encoder.for_managers,
        training=training,
        point=point.step,
        version=version,
    )


def _licence_of(training: Training) -> str:
    says = {"team": str(training.team)[:40], "licence": training.checkpoint.licence_name[:40]}
    return _("%(team)s's own; text encoder: %(licence)s") % says


def _commercial_use(facts: dict[str, Any], encoder: Checkpoint) -> str:
    """The stricter of two: what was lent or licensed may set conditions, and so may the text encoder's licence."""
    uses = Checkpoint.CommercialUse
    of_data = uses.YES if FREE.issuperset(facts["rights"]) else uses.CONDITIONAL
    return max(of_data, uses(encoder.commercial_use), key=[uses.YES, uses.CONDITIONAL, uses.NO].index).value


def _card(training: Training, version: int, facts: dict[str, Any]) -> str:
    """A model card in English, as readers of such folders expect: Mitchell et al. 2019 (arXiv:1810.03993), in short."""
    whose = dict(Upload.Whose.choices)
    rights = "".join(f"- {whose.get(name, name)}: {count}\n" for name, count in sorted(facts["rights"].items()))
    notes = "".join(f"- {note}\n" for note in facts["notes"])
    spec = training.spec
    return f"""---
library_name: diffusers
pipeline_tag: text-to-image
---
# {training.name}, version {version}

A text-to-image model of {spec["size"]} pixels a side, trained from scratch by {training.team} on
{facts["pictures"]} pictures of its own data set.

## Data

{facts["pictures"]} pictures; hash of the table of files and words: `{facts["data_hash"]}`. Most frequent words:
{", ".join(facts["words"]) or "none"}.

Whose they are, as {training.owner} stated:
{rights}{notes}
## Training

Autoencoder {spec["autoencoder_steps"]} steps, denoiser {facts["step"]} of {spec["steps"]} steps, batch {spec["batch"]},
seed {spec["seed"]}, v-prediction on a cosine schedule. The text encoder is that of {facts["text_encoder"]}, unchanged,
under its licence ({training.checkpoint.licence_name}).

## Measures

Loss on pictures held out: {facts["validation"]}. The training picture nearest to a sample differs from it in
{facts["nearest"]} of 256 bits (PDQ); 31 or fewer would be a copy.

## Limits

It knows nothing but what is in its data set. Look at what it draws before it is used, above all where people, health
or decisions about them are concerned.
"""
