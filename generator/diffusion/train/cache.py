"""Latents and text embeddings of a training set, kept on disk, so that a step of training is the denoiser alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BATCH = 32
# Written last: without it, or with another key in it, the cache is made anew.
INDEX = "cache.json"
BUILDING = "building.json"  # how far it has got, while it is made
LATENTS, WORDS, CAPTION_OF = "latents.npy", "words.npy", "caption_of.npy"


@dataclass(frozen=True)
class Cache:
    """latents [N, C, h, w] float16, scaled as the denoiser sees them; captions are M texts, and words [M, T, D] float16
    their embeddings; caption_of [N] says which text belongs to which latents. The last caption is the empty one."""

    latents: np.ndarray
    words: np.ndarray
    caption_of: np.ndarray
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.latents)

    @property
    def empty(self) -> int:
        """Which caption is the empty one, for training without a prompt."""
        return len(self.captions) - 1


def load(folder: Path, key: str) -> Cache | None:
    """The cache in `folder`, or None where there is none of this key."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["key"] != key:
            return None
        latents, words, caption_of = (np.load(folder / name, mmap_mode="r") for name in (LATENTS, WORDS, CAPTION_OF))
    except (OSError, ValueError, KeyError):
        return None
    return Cache(latents, words, caption_of, tuple(index["captions"]))


def build(
    folder: Path,
    key: str,
    pictures: Iterable[tuple[np.ndarray, str]],
    count: int,
    encode: Callable[[Tensor], Tensor],
    embed: Callable[[Sequence[str]], Tensor],
    on_batch: Callable[[], None] = lambda: None,
) -> Cache:
    """Computes and keeps the cache of `count` pictures (RGB [H, W, 3] uint8, with captions), all of one size.

    encode: pictures [B, 3, H, W] in -1..1 -> scaled latents. embed: texts -> [B, T, D].
    key names what it was made from (pictures, autoencoder, text encoder); `load` compares it.
    on_batch: called after each group of pictures; whatever it raises goes through, and the next call goes on there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    begun = _begun(folder, key)
    latents = np.load(folder / LATENTS, mmap_mode="r+") if begun else None
    numbers: dict[str, int] = {}
    caption_of = np.empty(count, np.int32)
    done = 0
    stream = iter(pictures)
    while group := tuple(islice(stream, BATCH)):
        caption_of[done : done + len(group)] = [numbers.setdefault(text, len(numbers)) for _, text in group]
        done += len(group)
        if done <= begun:
            continue
        found = encode(to_tensor([pixels for pixels, _ in group])).cpu().numpy().astype(np.float16)
        if latents is None:
            latents = np.lib.format.open_memmap(folder / LATENTS, "w+", np.float16, (count, *found.shape[1:]))
        latents[done - len(group) : done] = found
        latents.flush()
        (folder / BUILDING).write_text(json.dumps({"key": key, "done": done}), encoding="utf-8")
        on_batch()
    if latents is None or done != count:
        raise ValueError(f"{count} pictures were announced and {done} came.")
    # Pictures without a caption share the empty one, which stands last.
    captions = [text for text in numbers if text] + [""]
    places = {text: place for place, text in enumerate(captions)}
    caption_of = np.array([places[text] for text in numbers], np.int32)[caption_of]
    np.save(folder / CAPTION_OF, caption_of)
    write_words(folder / WORDS, captions, embed)
    (folder / INDEX).write_text(json.dumps({"key": key, "captions": captions}), encoding="utf-8")
    (folder / BUILDING).unlink(missing_ok=True)
    cache = load(folder, key)
    if cache is None:
        raise OSError(f"“{folder}” does not hold what was just written to it.")
    return cache


def _begun(folder: Path, key: str) -> int:
    """How many pictures an interrupted making of this key has got through."""
    try:
        said = json.loads((folder / BUILDING).read_text(encoding="utf-8"))
        return int(said["done"]) if said["key"] == key and (folder / LATENTS).is_file() else 0
    except (OSError, ValueError, KeyError):
        return 0


def to_tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """RGB pictures [H, W, 3] uint8 of one size -> [B, 3, H, W] in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


@torch.no_grad()
def embed(tokenizer: PreTrainedTokenizerBase, encoder: PreTrainedModel, texts: Sequence[str]) -> Tensor:
    """Texts -> the text encoder's last hidden state [B, T, D], as StableDiffusionPipeline.encode_prompt does."""
    tokens = tokenizer(
        list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).to(encoder.device)
    mask = tokens.attention_mask if getattr(encoder.config, "use_attention_mask", False) else None
    return encoder(tokens.input_ids, attention_mask=mask)[0]


def write_words(
    path: Path, captions: Sequence[str], embed: Callable[[Sequence[str]], Tensor], batch: int = BATCH
) -> None:
    """The embeddings of captions as [M, T, D] float16 in a file of numpy's. embed: texts -> [B, T, D]."""
    words: np.memmap | None = None
    for start in range(0, len(captions), batch):
        found = embed(captions[start : start + batch]).float().cpu().numpy().astype(np.float16)
        if words is None:
            words = np.lib.format.open_memmap(path, "w+", np.float16, (len(captions), *found.shape[1:]))
        words[start : start + len(found)] = found
    if words is not None:
        words.flush()
