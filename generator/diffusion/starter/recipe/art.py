"""The art that the starter learns from: openly licensed emoji, fetched from npm into a folder, never committed.

Fluent Emoji 3D (Microsoft, MIT) as packed by LobeHub, and names and synonyms from emojibase-data (MIT).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Pinned, so that the same recipe fetches the same pictures.
PACKAGES = ("@lobehub/fluent-emoji-3d@1.1.0", "emojibase-data@17.0.0")
PICTURES = "lobehub-fluent-emoji-3d-1.1.0/assets"
NAMES = "emojibase-data-17.0.0/en/data.json"

# Never trained, in any style or synonym: teaching the starter a new subject is tested on things it has not seen.
HELD_OUT = ("teapot", "robot", "violin", "penguin", "cactus", "trophy", "unicorn", "high-heeled shoe")


class ArtError(RuntimeError):
    """The art could not be fetched or is not whole. The message says what to do."""


@dataclass(frozen=True)
class Art:
    """One picture with alpha: `label` is its concept, `synonyms` are other words for it."""

    label: str
    synonyms: tuple[str, ...]
    path: Path


def fetch(folder: Path) -> None:
    """Downloads what is missing into `folder`, through npm. Raises ArtError where npm is missing or fails."""
    if (folder / PICTURES).is_dir() and (folder / NAMES).is_file():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise ArtError("npm is needed to fetch the art (Debian: apt install npm).")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as parcel:
        done = subprocess.run(
            [npm, "pack", "--silent", *PACKAGES], cwd=parcel, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ArtError(f"npm could not fetch the art: {done.stderr.strip()}")
        for archive in Path(parcel).glob("*.tgz"):
            unpacked = Path(parcel, "unpacked")
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
            target = folder / archive.stem
            shutil.rmtree(target, ignore_errors=True)
            (unpacked / "package").rename(target)


def read(folder: Path, labels: list[str]) -> list[Art]:
    """The art of `labels` (names of emojibase) in that order, without what is held out.

    Raises ArtError for a label without a name or a picture.
    """
    entries = {entry["label"]: entry for entry in json.loads((folder / NAMES).read_text(encoding="utf-8"))}
    return [_find(folder, label, entries) for label in labels if not is_held_out(label)]


def read_held_out(folder: Path, labels: Sequence[str]) -> list[Art]:
    """The art of things that are held out, for teaching them. Raises ArtError."""
    entries = {entry["label"]: entry for entry in json.loads((folder / NAMES).read_text(encoding="utf-8"))}
    return [_find(folder, label, entries) for label in labels]


def is_held_out(label: str) -> bool:
    """Whether a concept's name holds a held-out word."""
    return any(word in label.lower() for word in HELD_OUT)


def _find(folder: Path, label: str, entries: dict[str, dict]) -> Art:
    entry = entries.get(label)
    if entry is None:
        raise ArtError(f"emojibase has no “{label}”.")
    code = entry["hexcode"].lower()
    for name in (code, f"{code}-fe0f", code.replace("-fe0f", "")):
        path = folder / PICTURES / f"{name}.webp"
        if path.is_file():
            return Art(label, tuple(tag for tag in entry.get("tags", ()) if not is_held_out(tag)), path)
    raise ArtError(f"There is no picture of “{label}” ({code}).")
