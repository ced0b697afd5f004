"""The art that the starter learns from: openly licensed emoji, fetched from npm into a folder, never committed.

Four styles: Fluent Emoji in 3D, as packed by LobeHub, and flat (Microsoft, MIT), Noto Emoji (Google, Apache-2.0) and
Twemoji (Twitter, CC-BY 4.0); names and synonyms from emojibase-data (MIT).
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

# Pinned, so that the same recipe fetches the same pictures.
PACKAGES = (
    "@lobehub/fluent-emoji-3d@1.1.0",
    "@iconify-json/fluent-emoji-flat@1.2.6",
    "@iconify-json/noto@1.2.9",
    "@iconify-json/twemoji@1.2.5",
    "emojibase-data@17.0.0",
)
PICTURES = "lobehub-fluent-emoji-3d-1.1.0/assets"
NAMES = "emojibase-data-17.0.0/en/data.json"
# The styles that are drawn from vectors, each with the folder of its icons.
VECTORS = {
    "flat": "iconify-json-fluent-emoji-flat-1.2.6",
    "cartoon": "iconify-json-noto-1.2.9",
    "minimal": "iconify-json-twemoji-1.2.5",
}
STYLES = ("3d", *VECTORS)
# Faces, animals, food, places, activities and objects, as emojibase numbers them; no people, symbols and flags.
GROUPS = frozenset({0, 3, 4, 5, 6, 7})
# Vectors are drawn this large: what the starter learns at.
SIDE = 128

# Never trained, in any style or synonym: teaching the starter a new subject is tested on things it has not seen.
HELD_OUT = ("teapot", "robot", "violin", "penguin", "cactus", "trophy", "unicorn", "high-heeled shoe")


class ArtError(RuntimeError):
    """The art could not be fetched or is not whole. The message says what to do."""


@dataclass(frozen=True)
class Art:
    """One picture with alpha: `label` is its concept, `synonyms` are other words for it.

    path: the picture. svg: what draws it, for a style of vectors; the path then is where it came from.
    """

    label: str
    synonyms: tuple[str, ...]
    path: Path
    style: str = "3d"
    svg: str = field(default="", repr=False)

    def open(self) -> Image.Image:
        """The picture, RGBA."""
        if not self.svg:
            with Image.open(self.path) as opened:
                return opened.convert("RGBA")
        import resvg_py

        drawn = resvg_py.svg_to_bytes(svg_string=self.svg, width=SIDE, height=SIDE, skip_system_fonts=True)
        with Image.open(io.BytesIO(bytes(drawn))) as opened:
            return opened.convert("RGBA")


def fetch(folder: Path) -> None:
    """Downloads what is missing into `folder`, through npm. Raises ArtError where npm is missing or fails."""
    if all((folder / part).exists() for part in (PICTURES, NAMES, *VECTORS.values())):
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


def read(folder: Path, labels: Sequence[str], styles: Sequence[str] = ("3d",)) -> list[Art]:
    """The art of `labels` (names of emojibase), style by style in that order, without what is held out.

    Raises ArtError for a label without a name or a picture.
    """
    return _read(folder, [label for label in labels if not is_held_out(label)], styles)


def read_held_out(folder: Path, labels: Sequence[str]) -> list[Art]:
    """The art of things that are held out, for teaching them. Raises ArtError."""
    return _read(folder, labels, ("3d",))


def is_held_out(label: str) -> bool:
    """Whether a concept's name holds a held-out word."""
    return any(word in label.lower() for word in HELD_OUT)


def _read(folder: Path, labels: Sequence[str], styles: Sequence[str]) -> list[Art]:
    entries = {entry["label"]: entry for entry in json.loads((folder / NAMES).read_text(encoding="utf-8"))}
    return [_find(folder, label, entries, style) for style in styles for label in labels]


def _find(folder: Path, label: str, entries: dict[str, Any], style: str) -> Art:
    entry = entries.get(label)
    if entry is None:
        raise ArtError(f"emojibase has no “{label}”.")
    code = entry["hexcode"].lower()
    synonyms = tuple(tag for tag in entry.get("tags", ()) if not is_held_out(tag))
    for name in (code, f"{code}-fe0f", code.replace("-fe0f", "")):
        if style == "3d":
            path = folder / PICTURES / f"{name}.webp"
            if path.is_file():
                return Art(label, synonyms, path)
        else:
            path = folder / VECTORS[style]
            svg = _vectors(path).get(name)
            if svg:
                return Art(label, synonyms, path / name, style, svg)
    raise ArtError(f"There is no picture of “{label}” ({code}) in the style “{style}”.")


@cache
def _vectors(folder: Path) -> dict[str, str]:
    """The SVG of each character (its code points in hexadecimal) in a package of Iconify's."""
    read = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("icons", "chars")}
    icons, aliases = read["icons"]["icons"], read["icons"].get("aliases", {})
    found = {}
    for code, name in read["chars"].items():
        icon = icons.get(name) or icons.get(aliases.get(name, {}).get("parent", ""))
        if icon:
            width, height = (icon.get(side, read["icons"][side]) for side in ("width", "height"))
            found[code] = (
                f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
            )
    return found
