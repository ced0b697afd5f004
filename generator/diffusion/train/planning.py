"""A plan for teaching from what a person says: a kind and a name. Imports no torch."""

from __future__ import annotations

import re
from typing import Any

from generator.diffusion.spec import SpecError
from generator.diffusion.train.defaults import FAMILIES, METHODS, priors_for, steps_for
from generator.diffusion.train.spec import KINDS, FinetuneSpec

MIN_PRIOR, MAX_PRIOR = 8, 100  # class pictures; Ruiz et al. made 200 for each picture
SAMPLED = 20  # steps of a sample


def make(
    checkpoint: str,
    pictures: str,
    *,
    count: int,
    name: str,
    kind: str = "subject",
    noun: str = "",
    method: str = "lora",
    family: str = "sd1",
    size: int | None = None,
    **changes: Any,
) -> FinetuneSpec:
    """A spec with the defaults for a kind, a method, a family and `count` pictures; `changes` are fields of it.

    Raises SpecError.
    """
    for what, value, known in (("method", method, METHODS), ("family", family, FAMILIES), ("kind", kind, KINDS)):
        if value not in known:
            raise SpecError(f"There is no {what} “{value}” to teach by. Choose one of: {', '.join(known)}.")
    one = FAMILIES[family]
    given: dict[str, Any] = {
        "steps": steps_for(family, method, kind, count),
        "size": size or one.size,
        "batch": one.batch,
        "learning_rate": one.rates[method],
        "rank": one.style_rank if kind == "style" else one.rank,
        "timesteps": one.timesteps,
        "timestep_mean": one.timestep_mean,
        "gradient_checkpointing": one.size >= 1024,
        "samples": one.samples if kind == "subject" else one.style_samples,
        "others": one.others,
        "guidance": one.guidance,
        "prior_guidance": one.guidance,
        "sample_steps": SAMPLED,
        "caption_dropout": 0.05 if kind == "style" else 0.0,
        "min_snr": 5.0 if one.takes_min_snr and kind == "style" else 0.0,
    }
    given["alpha"] = float(given["rank"])
    given["decay"] = given["steps"] // 4
    given["warmup"] = min(50, given["steps"] // 20)
    if kind == "subject" and method != "embedding":
        given |= {
            "prior_weight": 1.0,
            "prior_pictures": max(MIN_PRIOR, min(MAX_PRIOR, 4 * count)),
            **priors_for(family, noun),
        }
    if method == "embedding":
        given |= {"vectors": one.vectors, "initialiser": noun or "style", "caption_dropout": 0.0}
    word = changes.pop("word", "") or suggest_word(name, method)
    return FinetuneSpec(
        checkpoint=checkpoint,
        pictures=pictures,
        name=name,
        word=word,
        kind=kind,
        noun=noun if kind == "subject" else "",
        method=method,
        family=family,
        **(given | changes),
    )


def suggest_word(name: str, method: str) -> str:
    """A word to call it by, from its name: "Our bottle" -> "ourbottle", and "my-ourbottle" for an embedding, whose word
    the model must not know yet."""
    slug = "".join(re.findall(r"[^\W_]+", name.lower()))[:30] or "newthing"
    return f"my-{slug}" if method == "embedding" else slug
