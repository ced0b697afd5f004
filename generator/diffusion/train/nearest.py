"""Which training picture a made one is nearest to, by PDQ: each original as its middle in the made one's proportions,
the made one as it is and mirrored, since training mirrors. numpy only.

Both are brought to one size first: of a small picture PDQ sees other places than of the same one enlarged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from generator.diffusion.train import pdq

FARTHEST = 16 * 16  # bits of a hash
# How an original is looked at: its picture, or where that is gone the hash that was kept of it, or None.
Open = Callable[[], "Image.Image | np.ndarray | None"]


@dataclass(frozen=True)
class Nearest:
    """place: of the original among those given. bits: of 256 by which the two differ; 31 or less is a copy."""

    place: int
    bits: int


class Originals:
    """The originals that `opens` lead to, hashed once for each shape that made pictures have."""

    def __init__(self, opens: Sequence[Open], on_busy: Callable[[], None] = lambda: None) -> None:
        """on_busy: called after each original that is looked at; may raise."""
        self._opens, self._on_busy = opens, on_busy
        self.gone: set[int] = set()  # places of those that could not be looked at
        self._hashes: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def nearest(self, made: Image.Image) -> Nearest | None:
        """None where no original can be looked at any more."""
        shape = _shape(made)
        places, hashes = self._of_shape(shape)
        if not len(places):
            return None
        bits = np.full(len(places), FARTHEST)
        for seen in (made, ImageOps.mirror(made)):
            bits = np.minimum(bits, np.count_nonzero(hashes != _hash(seen, shape), axis=(1, 2)))
        found = int(bits.argmin())
        return Nearest(int(places[found]), int(bits[found]))

    def _of_shape(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """(places [N], hashes [N, 16, 16]) of those that are there."""
        if shape not in self._hashes:
            found = []
            for place, look in enumerate(self._opens):
                if (seen := look()) is None:
                    self.gone.add(place)
                else:
                    found.append((place, seen if isinstance(seen, np.ndarray) else _hash(seen, shape)))
                self._on_busy()
            hashes = np.array([bits for _place, bits in found], bool).reshape(-1, pdq.BITS, pdq.BITS)
            self._hashes[shape] = np.array([place for place, _bits in found], int), hashes
        return self._hashes[shape]


def _hash(picture: Image.Image, shape: tuple[int, int]) -> np.ndarray:
    return pdq.hash_picture(ImageOps.fit(picture.convert("RGB"), shape, Image.Resampling.BILINEAR))


def _shape(picture: Image.Image) -> tuple[int, int]:
    """Its proportions, as the size that PDQ is made of."""
    scale = pdq.MAX_EDGE / max(picture.size)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
