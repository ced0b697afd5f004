"""LoRAs and embeddings on a warm pipeline: put on before a run, kept for the next that wants the same.

Pipelines that share their parts share their adapters, so what is worn is remembered with the denoiser. A run without
adapters takes all of them off: the pipeline is then as it was loaded, to the bit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors.torch import load_file
from torch import Tensor, nn

from generator.diffusion import checkpoints
from generator.diffusion.spec import Adapter, AdapterError, CheckpointError, SpecError

KEPT = 4  # LoRAs that stay loaded beside those in use
_File = tuple[str, int | None]  # path and time of its last change


@dataclass
class _Worn:
    """What a pipeline has on: the names of its LoRAs by their files, and its embeddings' words."""

    loras: dict[_File, str] = field(default_factory=dict)  # the latest used last
    number: int = 0  # of names given: what is half loaded has to be taken off, too
    words: dict[str, _File] = field(default_factory=dict)
    without: list[Callable[[], None]] = field(default_factory=list)  # each puts a text encoder back as it was


_worn: WeakKeyDictionary[nn.Module, _Worn] = WeakKeyDictionary()


def wear(pipeline: DiffusionPipeline, adapters: tuple[Adapter, ...]) -> None:
    """Makes a pipeline wear exactly these. Raises AdapterError for one that is broken or does not suit the checkpoint,
    SpecError where the family takes none; the pipeline then wears nothing."""
    worn = _worn.setdefault(_denoiser(pipeline), _Worn())
    loras = [adapter for adapter in adapters if not adapter.word]
    try:
        _wear_embeddings(pipeline, worn, {adapter.word: adapter for adapter in adapters if adapter.word})
        _wear_loras(pipeline, worn, loras)
    except BaseException:
        _take_off(pipeline, worn)
        raise


def _denoiser(pipeline: Any) -> nn.Module:
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    if denoiser is None:
        raise CheckpointError(f"A {type(pipeline).__name__} has no denoiser, so it cannot be used here.")
    return denoiser


def _take_off(pipeline: Any, worn: _Worn) -> None:
    _take_off_words(worn)
    _take_off_loras(pipeline, worn)


def _take_off_loras(pipeline: Any, worn: _Worn) -> None:
    if worn.number:
        pipeline.unload_lora_weights()
    worn.loras, worn.number = {}, 0


def _wear_loras(pipeline: Any, worn: _Worn, loras: list[Adapter]) -> None:
    if not loras:
        _take_off_loras(pipeline, worn)
        return
    if not hasattr(pipeline, "load_lora_weights"):
        raise SpecError("This model takes no LoRAs. Choose none, or another model.")
    wanted = {(lora.path, checkpoints.stamp(lora.path)): lora for lora in loras}
    for file, lora in wanted.items():
        worn.loras[file] = worn.loras.pop(file, "") or _load_lora(pipeline, worn, lora)
    for file in [*worn.loras][: max(0, len(worn.loras) - max(KEPT, len(wanted)))]:
        pipeline.delete_adapters(worn.loras.pop(file))
    pipeline.set_adapters([worn.loras[file] for file in wanted], [lora.weight for lora in wanted.values()])


def _load_lora(pipeline: Any, worn: _Worn, lora: Adapter) -> str:
    file = Path(lora.path)
    with _told(lora, "LoRA"):
        checkpoints.check_file(file)
        worn.number += 1
        name = f"lora{worn.number}"
        pipeline.load_lora_weights(load_file(file), adapter_name=name)
        if not any(name in names for names in pipeline.get_list_adapters().values()):
            raise AdapterError(lora.path, f"“{lora.path}” has no weights for this model.")
    return name


def _wear_embeddings(pipeline: Any, worn: _Worn, wanted: dict[str, Adapter]) -> None:
    files = {word: (adapter.path, checkpoints.stamp(adapter.path)) for word, adapter in wanted.items()}
    if files == worn.words:
        return
    if not hasattr(pipeline, "load_textual_inversion"):
        raise SpecError("This model takes no embeddings. Choose none, or another model.")
    _take_off_words(worn)
    if not files:
        return
    parts = [*encoders(pipeline)]
    worn.without = [bare(part["text_encoder"], part["tokenizer"]) for part in parts]
    for word, adapter in wanted.items():
        with _told(adapter, "embedding"):
            checkpoints.check_file(Path(adapter.path))
            if any(word in part["tokenizer"].get_vocab() for part in parts):
                raise SpecError(f"The model knows the word “{word}” already. Give the embedding another one.")
            vectors = _vectors(adapter, load_file(adapter.path), len(parts))
            for part, tensor in zip(parts, vectors, strict=True):
                pipeline.load_textual_inversion({word: tensor}, token=word, **part)
    worn.words = files


def _take_off_words(worn: _Worn) -> None:
    for put_back in worn.without:
        put_back()
    worn.words, worn.without = {}, []


def bare(encoder: Any, tokenizer: Any) -> Callable[[], None]:
    """How to take all words off again that are added from now on, in place. diffusers' own way leaves the further
    vectors of a word behind, and loses what a tokenizer has after its special tokens."""
    embedding = encoder.get_input_embeddings()
    vectors, size, facts = embedding.weight.data, encoder.config.vocab_size, dict(tokenizer.__dict__)
    tokenizer.__dict__.update(copy.deepcopy(facts))
    if hasattr(tokenizer, "_wrap_decode_method_backend_tokenizer"):  # of CLIP's, which a copy loses
        tokenizer._wrap_decode_method_backend_tokenizer()

    def put_back() -> None:
        embedding.weight.data, embedding.num_embeddings = vectors, size
        encoder.set_input_embeddings(embedding)
        encoder.config.vocab_size = size
        tokenizer.__dict__.clear()
        tokenizer.__dict__.update(facts)

    return put_back


def encoders(pipeline: Any) -> Iterator[dict[str, Any]]:
    """The text encoders that embeddings go into, each with its tokenizer, as diffusers' arguments."""
    yield {"text_encoder": pipeline.text_encoder, "tokenizer": pipeline.tokenizer}
    if getattr(pipeline, "text_encoder_2", None) is not None and hasattr(pipeline, "tokenizer_2"):
        yield {"text_encoder": pipeline.text_encoder_2, "tokenizer": pipeline.tokenizer_2}


def _vectors(adapter: Adapter, tensors: dict[str, Tensor], encoders: int) -> list[Tensor]:
    """[tokens, width] for each encoder. Trainers name them by the word, emb_params, or clip_l and clip_g (or t5)."""
    if encoders == 2:
        second = "t5" if "t5" in tensors else "clip_g"
        if not {"clip_l", second} <= tensors.keys():
            raise AdapterError(adapter.path, f"“{adapter.path}” is an embedding for another family of models.")
        return [tensors["clip_l"], tensors[second]]
    if len(tensors) != 1:
        raise AdapterError(adapter.path, f"“{adapter.path}” is an embedding for another family of models.")
    return [*tensors.values()]


class _told:  # noqa: N801 (used as a block)
    """A broken file may raise anything while it is loaded: all of it becomes an AdapterError."""

    def __init__(self, adapter: Adapter, kind: str) -> None:
        self.adapter = adapter
        self.kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, AdapterError | SpecError):
            return
        says = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise AdapterError(
            self.adapter.path, f"The {self.kind} “{self.adapter.path}” cannot be used with this model: {says}"
        ) from error
