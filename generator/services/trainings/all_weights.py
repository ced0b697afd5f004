"""What is said of a model all of whose weights were taught something: facts, entry, card. Imports no torch."""

from typing import Any

from generator.diffusion.train import points
from generator.models import Training
from generator.services.trainings.planning import spec_as_taught

SAME = (
    "family",
    "native_size",
    "memory",
    "memory_plan",
    "default_steps",
    "default_guidance",
    "default_scheduler",
    "schedulers",
    "licence_name",
    "licence_url",
    "commercial_use",
    "attribution",
)


def facts_of(training: Training, point: points.Point) -> dict[str, Any]:
    """Where it comes from, for its entry and its card."""
    measures = point.measures
    return {
        "training": str(training.pk),
        "step": point.step,
        "base": training.checkpoint.name,
        "base_hash": training.base_hash,
        "pictures": training.pictures.filter(removed=None).count(),
        "validation": round(measures.validation, 5),
        "likeness": round(measures.likeness, 4),
        "drift": round(measures.drift, 4),
        "nearest": measures.nearest,
    }


def entry_of(training: Training, facts: dict[str, Any]) -> dict[str, Any]:
    """Fields of its row: as those of the model that it was, licence included."""
    spec = spec_as_taught(training)
    same = {name: getattr(training.checkpoint, name) for name in SAME}
    return same | {"suggestions": list(spec.sample_prompts()), "triggers": [spec.called]}


def card_of(training: Training, version: int, facts: dict[str, Any]) -> str:
    """A model card in English, as readers of such folders expect: Mitchell et al. 2019 (arXiv:1810.03993), in short."""
    spec, base = spec_as_taught(training), training.checkpoint
    prior = f", beside {spec.prior_pictures} pictures of the model's own" if spec.has_prior else ""
    return f"""---
library_name: diffusers
pipeline_tag: text-to-image
---
# {training.name}, version {version}

{base.name}, all weights of whose denoiser were taught {training.name} by {training.team}. In prompts: “{spec.called}”.

## Data

{facts["pictures"]} pictures, whose rights {training.owner} stated.

## Training

DreamBooth (Ruiz et al. 2022, arXiv:2208.12242): {facts["step"]} of {spec.steps} steps, batch {spec.batch},
learning rate {spec.learning_rate}, seed {spec.seed}{prior}.
Everything but the denoiser is that of {base.name}, unchanged; its licence ({base.licence_name}) holds for this as well.

## Measures

Loss on views held out: {facts["validation"]}. Likeness of samples to what was taught: {facts["likeness"]} (1: same);
change of other things: {facts["drift"]}. The training picture nearest to a sample differs from it in
{facts["nearest"]} of 256 bits (PDQ); 31 or fewer would be a copy.

## Limits

Those of {base.name}. What was taught may show where nobody asked for it.
"""
