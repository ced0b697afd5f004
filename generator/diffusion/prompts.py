"""Prompt embeddings: weighed words and prompts of any length; kept, since the same words come again and again.

Words in brackets weigh more or less: `(red)1.4`, `(red)++`, `(red)-`, and as elsewhere `(red:1.4)`. compel reads them,
for the families that it knows. A prompt without weights that fits is encoded by the pipeline itself.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from compel import CompelForSD, CompelForSDXL, DiffusersTextualInversionManager
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor
from transformers import CLIPTextModel

from generator.diffusion.spec import Apart, ImageSpec, SpecError

KEPT = 64  # texts a pipeline: some 2 MB for Stable Diffusion

WEIGHED = re.compile(r"\)(?:\d*\.?\d+|[+-]+)(?![\w.])|\([^()]+:\s*\d*\.?\d+\s*\)")
COLON = re.compile(r"\(([^()]+):\s*(\d*\.?\d+)\s*\)")  # as A1111 and ComfyUI write it

_Key = tuple[object, ...]
_kept: WeakKeyDictionary[DiffusionPipeline, OrderedDict[_Key, dict[str, Tensor]]] = WeakKeyDictionary()


def embeddings(pipeline: DiffusionPipeline, spec: ImageSpec) -> dict[str, Tensor]:
    """The texts of a spec as arguments of the pipeline's call, [1, tokens, width] each; {} where it must encode itself.

    Without weights only Stable Diffusion 1 and 2 are encoded here, each text by itself: the same bits as the pipeline
    would make. `forget` them whenever the text encoder changes. Raises SpecError for weights that the family cannot
    follow.
    """
    texts = (spec.prompt, spec.negative_prompt) if spec.guidance > 1 else (spec.prompt,)
    if any(WEIGHED.search(text) for text in texts) or (_speaks_clip(pipeline) and _is_long(pipeline, texts)):
        return _weighed(pipeline, spec, texts)
    if type(pipeline) is not StableDiffusionPipeline:
        return {}
    found = {"prompt_embeds": _embedding(pipeline, spec, spec.prompt)}
    if spec.guidance > 1:
        found["negative_prompt_embeds"] = _embedding(pipeline, spec, spec.negative_prompt)
    return found


def embeddings_together(pipeline: DiffusionPipeline, specs: Sequence[ImageSpec]) -> dict[str, Tensor]:
    """As `embeddings` for one picture of each spec, in one tensor for each argument. Raises Apart where these differ in
    length, as weighed and long prompts do."""
    found = [embeddings(pipeline, spec) for spec in specs]
    shapes = {tuple((name, tensor.shape) for name, tensor in one.items()) for one in found}
    if len(shapes) > 1:
        raise Apart("Their prompts are read differently.")
    return {name: torch.cat([one[name] for one in found]) for name in found[0]}


def forget(pipeline: DiffusionPipeline) -> None:
    """Drops what was kept of a pipeline."""
    _kept.pop(pipeline, None)


def _embedding(pipeline: Any, spec: ImageSpec, text: str) -> Tensor:
    key = (spec.adapters, text)
    if (found := _look_up(pipeline, key)) is None:
        found = _keep(pipeline, key, {"prompt_embeds": pipeline.encode_prompt(text, _device(pipeline), 1, False)[0]})
    return found["prompt_embeds"]


def _weighed(pipeline: Any, spec: ImageSpec, texts: tuple[str, ...]) -> dict[str, Tensor]:
    """compel's reading of the prompt and, with guidance, of the negative prompt, which it makes equally long."""
    if not _speaks_clip(pipeline):
        raise SpecError("This model cannot weigh words: take the numbers and signs behind the brackets away.")
    key = (spec.adapters, *texts)
    if (found := _look_up(pipeline, key)) is None:
        reader = CompelForSDXL if hasattr(pipeline, "text_encoder_2") else CompelForSD
        # The manager writes all words anew and reads them again: only for the sake of embeddings.
        has_words = any(adapter.word for adapter in spec.adapters)
        manager = DiffusersTextualInversionManager(pipeline) if has_words else None
        compel = reader(pipeline, manager, str(_device(pipeline)))
        prompt, *negative = map(_in_compels_words, texts)
        made = compel(prompt, negative_prompt=negative[0] if negative else None)
        found = {"prompt_embeds": made.embeds, "negative_prompt_embeds": made.negative_embeds}
        found |= {
            "pooled_prompt_embeds": made.pooled_embeds,
            "negative_pooled_prompt_embeds": made.negative_pooled_embeds,
        }
        _keep(pipeline, key, {name: tensor for name, tensor in found.items() if tensor is not None})
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _in_compels_words(text: str) -> str:
    """Brackets of a text that weighs nothing are part of it, and have to say so."""
    return COLON.sub(r"(\1)\2", text) if WEIGHED.search(text) else re.sub(r"([()])", r"\\\1", text)


def _speaks_clip(pipeline: Any) -> bool:
    """Whether compel can read for it: Stable Diffusion 1, 2 and XL, in whichever of diffusers' pipelines."""
    is_stable = type(pipeline).__name__.startswith("StableDiffusion") and hasattr(pipeline, "unet")
    return is_stable and isinstance(getattr(pipeline, "text_encoder", None), CLIPTextModel)


def _is_long(pipeline: Any, texts: tuple[str, ...]) -> bool:
    """Whether a text has more tokens than the encoder takes at once: the pipeline itself would drop the rest."""
    limit = pipeline.tokenizer.model_max_length
    for text in texts:
        words = pipeline.maybe_convert_prompt(text, pipeline.tokenizer)
        if len(pipeline.tokenizer(words, truncation=False, verbose=False).input_ids) > limit:
            return True
    return False


def _device(pipeline: Any) -> Any:
    return pipeline._execution_device


def _look_up(pipeline: DiffusionPipeline, key: _Key) -> dict[str, Tensor] | None:
    kept = _kept.setdefault(pipeline, OrderedDict())
    if key in kept:
        kept.move_to_end(key)
    return kept.get(key)


def _keep(pipeline: DiffusionPipeline, key: _Key, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    kept = _kept.setdefault(pipeline, OrderedDict())
    kept[key] = tensors
    if len(kept) > KEPT:
        kept.popitem(last=False)
    return tensors
