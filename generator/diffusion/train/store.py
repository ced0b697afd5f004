"""The training pictures as one array on disk: read at random by the autoencoder's training, and decoded only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

PIXELS = "pixels.npy"
# Written last: without it, or with another key in it, everything is made anew.
INDEX = "pictures.json"


def keep(
    stream: Callable[[], Iterator[tuple[np.ndarray, str]]], count: int, folder: Path, key: str
) -> tuple[np.ndarray, list[str]]:
    """Pixels [count, H, W, 3] uint8 as a memory map, and their captions: those of `stream`, unless `folder` holds what
    was made of the same `key` before."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["key"] == key:
            return np.load(folder / PIXELS, mmap_mode="r"), index["captions"]
    except (OSError, ValueError, KeyError):
        pass  # not there yet, or cut short: made below
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    pixels: np.memmap | None = None
    captions = []
    for place, (picture, caption) in enumerate(stream()):
        if pixels is None:
            pixels = np.lib.format.open_memmap(folder / PIXELS, "w+", np.uint8, (count, *picture.shape))
        pixels[place] = picture
        captions.append(caption)
    if pixels is None or len(captions) != count:
        raise ValueError(f"{count} pictures were announced and {len(captions)} came.")
    pixels.flush()
    (folder / INDEX).write_text(json.dumps({"key": key, "captions": captions}), encoding="utf-8")
    return np.load(folder / PIXELS, mmap_mode="r"), captions
