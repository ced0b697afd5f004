"""Prompt embeddings, kept: the same words are asked for again and again, with other seeds or no negative prompt."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

from diffusers import StableDiffusionPipeline
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor

from generator.diffusion.spec import ImageSpec

KEPT = 64  # texts a pipeline: some 2 MB for Stable Diffusion

_kept: WeakKeyDictionary[DiffusionPipeline, OrderedDict[str, Tensor]] = WeakKeyDictionary()


def embeddings(pipeline: DiffusionPipeline, spec: ImageSpec) -> dict[str, Tensor]:
    """The texts of a spec as arguments of the pipeline's call, [1, tokens, width] each; {} where it must encode itself.

    Only for Stable Diffusion 1 and 2, which encode prompt and negative prompt each by itself: so they are the same bits
    as the pipeline would make. `forget` them whenever the text encoder changes.
    """
    if type(pipeline) is not StableDiffusionPipeline:
        return {}
    found = {"prompt_embeds": _embedding(pipeline, spec.prompt)}
    if spec.guidance > 1:
        found["negative_prompt_embeds"] = _embedding(pipeline, spec.negative_prompt)
    return found


def forget(pipeline: DiffusionPipeline) -> None:
    """Drops what was kept of a pipeline."""
    _kept.pop(pipeline, None)


def _embedding(pipeline: Any, text: str) -> Tensor:
    kept = _kept.setdefault(pipeline, OrderedDict())
    if text not in kept:
        kept[text] = pipeline.encode_prompt(text, pipeline._execution_device, 1, False)[0]
        if len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(text)
    return kept[text]
