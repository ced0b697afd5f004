"""Zips of pictures, one entry at a time. No name in them becomes a path, and no size that they claim is believed."""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from gallery.intake.unfit import Unfit

MOST_ENTRIES = 2000
MOST_BYTES = 8 * 1024**3  # of all entries together, as they are read
MOST_RATIO = 300  # times that an entry may be larger than it is in the zip; pictures are compressed already
SMALL = 1024 * 1024  # bytes below which any ratio will do
PIECE = 1 << 20
_ENCRYPTED = 0x1
_HIDDEN = ("__MACOSX/", ".")


@dataclass(frozen=True)
class Entry:
    """One file of a zip: its name for people to read, and why it is not taken, if it is not."""

    info: zipfile.ZipInfo
    name: str
    problem: str = ""


def open_archive(path: Path) -> zipfile.ZipFile:
    """Unfit for what only looks like a zip, and for more entries than anybody would choose by hand."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unfit("archive-broken") from error
    if len(archive.infolist()) > MOST_ENTRIES:
        raise Unfit("archive-entries", n=len(archive.infolist()), most=MOST_ENTRIES)
    return archive


def entries(archive: zipfile.ZipFile, most: int) -> Iterator[Entry]:
    """All that a person would call a file of it, with what is wrong with each. `most`: bytes that one may have."""
    seen: set[int] = set()
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")
        short = PurePosixPath(name).name
        if info.is_dir() or short.startswith(".") or name.startswith(_HIDDEN[0]):
            continue
        problem = _problem(info, name, most)
        if info.header_offset in seen:
            problem = "archive-bomb"  # two entries share their bytes
        seen.add(info.header_offset)
        yield Entry(info, name[:300], problem)


def _problem(info: zipfile.ZipInfo, name: str, most: int) -> str:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or name[1:2] == ":":
        return "archive-path"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "archive-link"
    if info.flag_bits & _ENCRYPTED:
        return "archive-secret"
    if info.file_size > most:
        return "too-large"
    if info.file_size > SMALL and info.file_size > info.compress_size * MOST_RATIO:
        return "archive-bomb"
    return ""


def unpack(archive: zipfile.ZipFile, entry: Entry, target: IO[bytes], most: int) -> int:
    """Copies an entry's bytes to `target` and counts them. Unfit as soon as there are more than `most`."""
    size = 0
    try:
        with archive.open(entry.info) as source:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > most:
                    raise Unfit("archive-bomb")
                target.write(piece)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unfit("archive-broken") from error
    except Exception as error:  # zlib.error and its like have no common ancestor
        if isinstance(error, Unfit):
            raise
        raise Unfit("archive-broken") from error
    target.flush()
    return size
