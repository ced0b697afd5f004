"""A folder of pictures with captions, however it was written: metadata.jsonl, metadata.csv, parquet, sidecar .txt
files, or one folder a class. Looked for in that order."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from generator.diffusion.spec import SpecError

SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# What people call the two columns, Hugging Face's own names first.
FILE_COLUMNS = ("file_name", "file", "filename", "path", "image")
TEXT_COLUMNS = ("text", "caption", "prompt", "description", "label")
# Clear pixels become white: the paper most pictures with alpha were drawn for.
PAPER = (255, 255, 255)


class DataError(SpecError):
    """A training set that cannot be read. The message names the file."""


@dataclass(frozen=True)
class Example:
    """One picture with its caption ("" if it has none). `open_picture` reads it from disk; `name` is for messages."""

    name: str
    caption: str
    open_picture: Callable[[], Image.Image]


def read_folder(folder: Path) -> list[Example]:
    """All examples of `folder`, in a stable order. Raises DataError where none are, or a table is broken."""
    if not folder.is_dir():
        raise DataError(f"There is no folder “{folder}”.")
    readers = (
        (("metadata.jsonl",), _from_lines),
        (("metadata.csv",), _from_csv),
        (("*.parquet", "*/*.parquet"), _from_parquet),
    )
    for patterns, reader in readers:
        files = sorted({path for pattern in patterns for path in folder.glob(pattern)})
        if files:
            examples = [example for file in files for example in reader(file)]
            break
    else:
        examples = _from_files(folder)
    if not examples:
        raise DataError(f"There are no pictures in “{folder}”.")
    return examples


def fingerprint(examples: list[Example]) -> str:
    """Changes when a picture or a caption does: what a cache of the examples is keyed by."""
    digest = sha256()
    for example in examples:
        picture = example.open_picture()
        digest.update(json.dumps([example.name, example.caption, picture.size]).encode())
        digest.update(picture.resize((16, 16)).tobytes())
    return digest.hexdigest()


def crop(picture: Image.Image, size: int) -> np.ndarray:
    """The middle square of `picture`, scaled to RGB [size, size, 3] uint8."""
    return np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))


def split(count: int, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places 0..count-1 to train on and to validate with, drawn by `seed`. At least one each, where there are two."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    aside = min(max(1, round(count * held_out)), count - 1)
    return np.array(sorted(order[aside:])), np.array(sorted(order[:aside] or order))


def in_order(index: int, batch: int, count: int, seed: int) -> np.ndarray:
    """The places of micro-batch `index` when all `count` are gone through, shuffled anew each time round."""
    places = np.arange(index * batch, (index + 1) * batch)
    return np.array([_order(int(place) // count, count, seed)[place % count] for place in places])


@lru_cache(maxsize=4)
def _order(epoch: int, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def open_rgb(source: Path | bytes, name: str) -> Image.Image:
    """A picture upright and as RGB, alpha laid on paper. Raises DataError where it is no picture."""
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            upright = ImageOps.exif_transpose(picture)
            if not upright.has_transparency_data:
                return upright.convert("RGB")
            clear = upright.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", clear.size, (*PAPER, 255)), clear).convert("RGB")
    except FileNotFoundError:
        raise DataError(f"The picture “{name}” is missing.") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise DataError(f"“{name}” is not a picture that can be read: {error}") from None


def _from_files(folder: Path) -> list[Example]:
    """Captions from sidecars; without any, from the names of the class folders."""
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    sidecars = any(path.with_suffix(".txt").is_file() for path in pictures)
    return [_from_file(folder, path, _sidecar(path) if sidecars else _class_name(folder, path)) for path in pictures]


def _sidecar(picture: Path) -> str:
    try:
        return picture.with_suffix(".txt").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise DataError(f"“{picture.with_suffix('.txt')}” is not UTF-8 text: {error.reason}.") from None


def _class_name(folder: Path, picture: Path) -> str:
    parent = picture.parent
    return "" if parent == folder else parent.name.replace("_", " ").replace("-", " ").strip()


def _from_lines(file: Path) -> list[Example]:
    examples = []
    for number, line in enumerate(_read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number}: not JSON ({error}).") from None
        if not isinstance(row, dict):
            raise DataError(f"{file}, line {number}: not an object with a file name and a text.")
        examples.append(_from_row(file, number, row))
    return examples


def _from_csv(file: Path) -> list[Example]:
    rows = csv.DictReader(io.StringIO(_read_text(file)))
    return [_from_row(file, number, row) for number, row in enumerate(rows, start=2)]


def _from_parquet(file: Path) -> list[Example]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError("Reading parquet needs pyarrow. Install it with: pip install pyarrow") from None
    try:
        rows = pyarrow.parquet.read_table(file).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"“{file}” cannot be read as parquet: {error}") from None
    return [_from_row(file, number, row) for number, row in enumerate(rows, start=1)]


def _from_row(table: Path, number: int, row: Mapping[str, object]) -> Example:
    """A row names a file beside the table, or, in parquet, holds the picture's bytes ({"bytes": ..., "path": ...})."""
    where = f"{table}, row {number}"
    source = next((row[column] for column in FILE_COLUMNS if row.get(column)), None)
    text = next((str(row[column]) for column in TEXT_COLUMNS if row.get(column)), "").strip()
    if isinstance(source, Mapping):
        source = source.get("bytes") or source.get("path")
    if isinstance(source, bytes):
        return Example(where, text, lambda: open_rgb(source, where))
    if not isinstance(source, str):
        raise DataError(f"{where}: no picture. One of the columns {', '.join(FILE_COLUMNS)} must name it.")
    path = (table.parent / source).resolve()
    # A table that came with a download must not make us read files that are none of its business.
    if not path.is_relative_to(table.parent.resolve()):
        raise DataError(f"{where}: “{source}” lies outside the folder.")
    return _from_file(table.parent.resolve(), path, text)


def _from_file(folder: Path, path: Path, text: str) -> Example:
    return Example(str(path.relative_to(folder)), text, lambda: open_rgb(path, str(path)))


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"“{file}” cannot be read: {error}") from None


def stream(examples: list[Example], size: int) -> Iterator[tuple[np.ndarray, str]]:
    """Every example as (RGB [size, size, 3] uint8, caption)."""
    for example in examples:
        yield crop(example.open_picture(), size), example.caption
