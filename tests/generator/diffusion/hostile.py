"""Files that mean harm, or are merely broken: each is written into a folder, with what must be said of it."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

Entry = dict[str, object]


class Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple:
        return (open, (str(self.witness), "w"))


def write(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    """A file of weights with any header, told with any length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def floats(shape: list[int], begin: int, end: int) -> Entry:
    """An entry of a header."""
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


def _bomb(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(path.parent / "exploded")))


def _torch_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(path.parent / "exploded")))


def _sparse(path: Path) -> None:
    write(path, {"a": floats([2**19, 2**19], 0, 2**40)})
    os.truncate(path, path.stat().st_size + 2**40)


def _with(number: float, dtype: torch.dtype = torch.float32) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        tensor = torch.zeros(64, dtype=torch.float32)
        tensor[17] = number
        save_file({"a": torch.ones(3), "b": tensor.to(dtype)}, path)

    return make


# name -> (how to make it, what is said)
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickle": (_bomb, "pickle under another name"),
    "torch zip": (_torch_zip, "pickle under another name"),
    "empty": (lambda path: path.write_bytes(b""), "ends before its header"),
    "five bytes": (lambda path: path.write_bytes(b"12345"), "ends before its header"),
    "truncated header": (lambda path: write(path, {"a": floats([1], 0, 4)}, b"1234", length=500), "ends before its"),
    "oversized header": (lambda path: write(path, b"{" + b" " * 2**25 + b"}"), "its header claims"),
    "endless header": (lambda path: write(path, {}, length=2**63), "ends before its header"),
    "no JSON": (lambda path: write(path, b"hello"), "no JSON"),
    "deep JSON": (lambda path: write(path, b"[" * 10**6), "no JSON"),
    "a list": (lambda path: write(path, []), "no JSON object"),
    "metadata of numbers": (lambda path: write(path, {"__metadata__": {"a": 1}}), "metadata"),
    "named twice": (lambda path: write(path, b'{"a":1,"a":2}'), "twice"),
    "unknown dtype": (lambda path: write(path, {"a": floats([1], 0, 4) | {"dtype": "F3"}}, b"1234"), "does not say"),
    "outside the file": (lambda path: write(path, {"a": floats([100], 0, 400)}, b"1234"), "outside the file"),
    "a terabyte claimed": (lambda path: write(path, {"a": floats([2**19, 2**19], 0, 2**40)}, b"1"), "outside the file"),
    "a sparse terabyte": (_sparse, "most of them were never written"),
    "negative offset": (lambda path: write(path, {"a": floats([1], -4, 0)}, b"1234"), "does not say"),
    "backwards": (lambda path: write(path, {"a": floats([1], 4, 0)}, b"1234"), "outside the file"),
    "overlapping": (
        lambda path: write(path, {"a": floats([2], 0, 8), "b": floats([1], 4, 8)}, b"\0" * 8),
        "overlaps another",
    ),
    "a gap": (lambda path: write(path, {"a": floats([1], 4, 8)}, b"\0" * 8), "gap"),
    "a tail": (lambda path: write(path, {"a": floats([1], 0, 4)}, b"\0" * 80), "longer than its tensors"),
    "another size": (lambda path: write(path, {"a": floats([7], 0, 8)}, b"\0" * 8), "another size"),
    "absurd side": (lambda path: write(path, {"a": floats([0, 2**40], 0, 0)}), "absurd shape"),
    "absurd rank": (lambda path: write(path, {"a": floats([1] * 99, 0, 4)}, b"1234"), "absurd shape"),
    "NaN": (_with(float("nan")), "no numbers"),
    "Inf": (_with(float("inf")), "no numbers"),
    "NaN in bfloat16": (_with(float("nan"), torch.bfloat16), "no numbers"),
    "NaN in eight bits": (_with(float("nan"), torch.float8_e5m2), "no numbers"),
}
