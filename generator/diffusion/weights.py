"""What a file of weights is, read from its header before any loader touches it.

A safetensors file is eight bytes that say how long its header is, a header of JSON, and raw numbers. The loaders trust
much of that: how large a header may be, that files are as long as they say, that the numbers are numbers. Here nothing
is trusted, and nothing but the header is read, so that the worst of files is refused within a second.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from generator.diffusion.spec import CheckpointError

MAX_HEADER = 16 * 2**20  # of the largest known models it has less than two
MAX_DIMENSIONS = 8
MAX_SIDE = 2**31
CHUNK = 2**22  # numbers looked at in one go
# Bytes a number, and the dtype that tells whether it is one; None: whole numbers always are.
DTYPES: dict[str, tuple[int, torch.dtype | None]] = {
    "F64": (8, torch.float64),
    "F32": (4, torch.float32),
    "F16": (2, torch.float16),
    "BF16": (2, torch.bfloat16),
    "F8_E4M3": (1, torch.float8_e4m3fn),
    "F8_E5M2": (1, torch.float8_e5m2),
    **{f"{sign}{8 * size}": (size, None) for sign in "IU" for size in (1, 2, 4, 8)},
    "BOOL": (1, None),
}
PICKLE_STARTS = (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in its file: `begin` and `end` in bytes from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]


def is_pickle(start: bytes) -> bool:
    """Whether a file that starts so may run code when it is loaded: a pickle, or torch's zip of one."""
    return start.startswith(PICKLE_STARTS)


def read_header(file: Path) -> Header:
    """The header of a safetensors file, once all in it holds. Raises CheckpointError that says what does not."""
    try:
        with file.open("rb", buffering=0) as opened:  # holes are sought beside what is read
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _broken(file, "it is no file but a device or pipe")
            start = opened.read(8)
            if is_pickle(start):
                raise CheckpointError(
                    f"“{file}” is not a whole safetensors file: it is a pickle under another name, which may hold code "
                    "and is never loaded. Convert it to .safetensors first."
                )
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length > status.st_size - 8:
                raise _broken(file, "it ends before its header does")
            if length > MAX_HEADER:
                raise _broken(file, f"its header claims {length} bytes, and at most {MAX_HEADER} are read")
            text = opened.read(length)
            _check_holes(file, opened.fileno(), status)
            return _parse(file, text, 8 + length, status.st_size)
    except OSError as error:
        raise CheckpointError(f"“{file}” cannot be read: {error.strerror or error}") from None


def check_numbers(file: Path) -> None:
    """Raises CheckpointError where a weight is no number: with it every picture would be black.

    Reads the whole file, once a process and version of the file.
    """
    status = file.stat()
    _check_numbers(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _check_numbers(file: Path, _changed: int, size: int) -> None:
    header = read_header(file)
    if not header.tensors:
        return
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_COPY) as bytes_of:
        for name, tensor in header.tensors.items():
            width, dtype = DTYPES[tensor.dtype]
            if dtype is None:
                continue
            for begin in range(tensor.begin, tensor.end, CHUNK * width):
                count = min(CHUNK, (tensor.end - begin) // width)
                numbers = torch.frombuffer(bytes_of, dtype=dtype, count=count, offset=begin)
                is_sound = bool(numbers.float().isfinite().all() if width == 1 else numbers.isfinite().all())
                del numbers  # it holds the map open
                if not is_sound:
                    raise CheckpointError(f"“{file}” is damaged: in {name} are weights that are no numbers.")


def _parse(file: Path, text: bytes, start: int, size: int) -> Header:
    try:
        entries = json.loads(text.decode(), object_pairs_hook=_without_doubles(file))
    except CheckpointError:
        raise
    except (ValueError, RecursionError):
        raise _broken(file, "its header is no JSON") from None
    if not isinstance(entries, dict):
        raise _broken(file, "its header is no JSON object")
    metadata = entries.pop("__metadata__", {})
    if not (isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())):
        raise _broken(file, "its metadata is not made of words")
    tensors = {name: _tensor(file, name, entry, start, size) for name, entry in entries.items()}
    _check_layout(file, tensors, start, size)
    return Header(metadata, tensors)


def _tensor(file: Path, name: str, entry: Any, start: int, size: int) -> Tensor:
    said = entry if isinstance(entry, dict) else {}
    shape, offsets = _whole(said.get("shape")), _whole(said.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2 or said.get("dtype") not in (*DTYPES,):
        raise _broken(file, f"its header does not say what {name[:80]} is")
    if len(shape) > MAX_DIMENSIONS or any(side > MAX_SIDE for side in shape):
        raise _broken(file, f"{name[:80]} has an absurd shape, {str(shape)[:80]}")
    begin, end = offsets
    if begin > end or start + end > size:
        raise _broken(file, f"{name[:80]} lies outside the file")
    if math.prod(shape) * DTYPES[said["dtype"]][0] != end - begin:
        raise _broken(file, f"{name[:80]} has another size than its shape, {str(shape)[:80]}")
    return Tensor(said["dtype"], tuple(shape), start + begin, start + end)


def _check_layout(file: Path, tensors: dict[str, Tensor], start: int, size: int) -> None:
    """Tensors follow one another without gaps, as the format demands: nothing hides between or behind them."""
    reached = start
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != reached:
            what = "overlaps another one" if tensor.begin < reached else "leaves a gap before it"
            raise _broken(file, f"{name[:80]} {what}")
        reached = tensor.end
    if reached != size:
        raise _broken(file, "it is longer than its tensors")


def _check_holes(file: Path, descriptor: int, status: os.stat_result) -> None:
    """A sparse file claims a size that it does not have; what reads it would fill memory with zeros."""
    if not hasattr(os, "SEEK_HOLE"):
        return
    holes = position = 0
    while position < status.st_size:
        hole = os.lseek(descriptor, position, os.SEEK_HOLE)
        if hole >= status.st_size:
            break
        try:
            position = os.lseek(descriptor, hole, os.SEEK_DATA)
        except OSError:  # nothing but a hole up to the end
            position = status.st_size
        holes += position - hole
        if 2 * holes > status.st_size:
            raise _broken(file, f"it claims {status.st_size} bytes, and most of them were never written")


def _whole(values: Any) -> list[int] | None:
    """A list of whole numbers from zero up, None for anything else."""
    return values if isinstance(values, list) and all(type(one) is int and one >= 0 for one in values) else None


def _without_doubles(file: Path) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            raise _broken(file, "its header names something twice")
        return built

    return build


def _broken(file: Path, why: str) -> CheckpointError:
    return CheckpointError(f"“{file}” is not a whole safetensors file: {why}.")
