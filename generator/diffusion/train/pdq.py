"""PDQ, a hash of pictures in which the same picture differs in few bits: Facebook 2019, "The TMK+PDQF Video-Hashing
Algorithm and the PDQ Image-Hashing Algorithm", section 3. numpy only: there is no wheel of it for every machine."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE, BITS = 64, 16
DUPLICATE = 31  # of 256 bits: up to here two pictures are the same one
MAX_EDGE = 512
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def hash_picture(picture: Image.Image) -> np.ndarray:
    """256 bits, [16, 16] bool: which of the lowest frequencies are above their median."""
    small = picture.convert("RGB")
    small.thumbnail((MAX_EDGE, MAX_EDGE), Image.Resampling.BILINEAR)
    luma = np.asarray(small, np.float32) @ LUMA
    smooth = luma
    for _twice in range(2):  # a box filter twice is Jarosz' tent
        smooth = _box(_box(smooth, 0), 1)
    rows, columns = (((np.arange(SIDE) + 0.5) * length / SIDE).astype(int) for length in luma.shape)
    coarse = smooth[np.ix_(rows, columns)]
    frequencies = DCT @ coarse @ DCT.T
    bits: np.ndarray = frequencies > np.median(frequencies)
    return bits


def distance(one: np.ndarray, other: np.ndarray) -> int:
    """In how many of 256 bits two hashes differ; unrelated pictures in about half."""
    return int(np.count_nonzero(one != other))


def _box(values: np.ndarray, axis: int) -> np.ndarray:
    """A running mean along an axis, its window a 128th of it (two passes make a 64th), cut off at the edges."""
    length = values.shape[axis]
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    half = (window + 2) // 2
    sums = np.insert(np.cumsum(values, axis=axis, dtype=np.float64), 0, 0, axis=axis)
    ends = np.minimum(np.arange(length) + half, length)
    starts = np.maximum(np.arange(length) + half - window, 0)
    shape = [1, 1]
    shape[axis] = length
    return (np.take(sums, ends, axis) - np.take(sums, starts, axis)) / (ends - starts).reshape(shape)


def _dct() -> np.ndarray:
    """[16, 64]: frequencies 1 to 16 of a discrete cosine transform; 0, the mean, is left out."""
    frequency, place = np.arange(1, BITS + 1)[:, None], np.arange(SIDE)[None]
    return np.sqrt(2 / SIDE) * np.cos(np.pi / (2 * SIDE) * frequency * (2 * place + 1))


DCT = _dct()
