"""What is said of a model that was made from nothing but a data set: facts, licence, card. Imports no torch."""

import json
from collections import Counter
from hashlib import sha256
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from gallery.models import Upload
from generator.diffusion.train import points
from generator.models import Checkpoint, Training

STEPS, GUIDANCE = 20, 4.0  # as the engine draws samples
FREE = frozenset({Upload.Whose.OWN, Upload.Whose.PUBLIC, Upload.Whose.GENERATED})
LISTED = 12  # words on the card


def facts_of(training: Training, point: points.Point) -> dict[str, Any]:
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


def entry_of(training: Training, facts: dict[str, Any]) -> dict[str, Any]:
    """Fields of its row. The licence of whose text encoder lies in the folder holds for that."""
    encoder = training.checkpoint
    return {
        "family": "starter",
        "native_size": training.spec["size"],
        "default_steps": STEPS,
        "default_guidance": GUIDANCE,
        "suggestions": facts["words"][:6],
        "licence_name": _licence_of(training),
        "licence_url": encoder.licence_url,
        "commercial_use": _commercial_use(facts, encoder),
        "attribution": "; ".join(filter(None, [*facts["notes"], encoder.attribution]))[:2000],
    }


def _licence_of(training: Training) -> str:
    says = {"team": str(training.team)[:40], "licence": training.checkpoint.licence_name[:40]}
    return _("%(team)s's own; text encoder: %(licence)s") % says


def _commercial_use(facts: dict[str, Any], encoder: Checkpoint) -> str:
    """The stricter of two: what was lent or licensed may set conditions, and so may the text encoder's licence."""
    uses = Checkpoint.CommercialUse
    of_data = uses.YES if FREE.issuperset(facts["rights"]) else uses.CONDITIONAL
    return max(of_data, uses(encoder.commercial_use), key=[uses.YES, uses.CONDITIONAL, uses.NO].index).value


def card_of(training: Training, version: int, facts: dict[str, Any]) -> str:
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
