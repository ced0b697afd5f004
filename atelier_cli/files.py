"""Pictures on their way to a folder: into a .part file first, going on where it broke off, never twice."""

import hashlib
import re
from email.message import Message
from pathlib import Path
from uuid import UUID

import httpx

from atelier_cli.studio import Studio
from atelier_cli.told import USAGE, Told

SHA256 = re.compile(r'"([0-9a-f]{64})"')
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
NAMELESS = "unknown"


def folder_at(path: Path) -> Path:
    """The folder, made where it is missing. Told when that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Told(f"{path} cannot be a folder: {error.strerror}.", USAGE) from error
    return path


def there(folder: Path, media: str) -> Path | None:
    """The picture's file, where an earlier time has brought it."""
    return next(folder.glob(f"*-{_mark(media)}.*"), None)


def fetch(studio: Studio, media: str, folder: Path) -> Path:
    """Brings one picture. Told when it cannot be had; what came before the line broke stays for the next time."""

    def headers() -> dict[str, str]:
        part = _begun(folder, media)
        plain = {"Accept-Encoding": "identity"}  # parts are counted in the picture's own bytes
        if part is None or not part.stat().st_size:
            return plain
        return plain | {"Range": f"bytes={part.stat().st_size}-", "If-Range": f'"{part.suffixes[-2][1:]}"'}

    def keep(answer: httpx.Response) -> Path | None:
        begun = _begun(folder, media)
        if answer.status_code == 416 and begun:
            begun.unlink()
            return None
        if answer.status_code not in (200, 206):
            studio.read(answer)
        part, digest = _part(folder, media, answer)
        if answer.status_code == 200 and begun:
            begun.unlink()
        with part.open("ab") as file:
            for piece in answer.iter_bytes():
                file.write(piece)
        if digest and hashlib.sha256(part.read_bytes()).hexdigest() != digest:
            part.unlink()
            raise Told(f"Picture {media} came damaged. Fetch it again.")
        return part.replace(folder / _name(answer, media))

    try:
        while (found := studio.ask("GET", f"media/{media}/file", keep, headers, follow_redirects=True)) is None:
            pass
    except OSError as error:
        raise Told(f"{folder}: {error.strerror or error}.") from error
    return found


def _mark(media: str) -> str:
    """Part of each file's name: two pictures of one prompt and seed are still two."""
    return UUID(media).hex[:12]


def _begun(folder: Path, media: str) -> Path | None:
    """What an interrupted download left, if it can be gone on with: its name says which state of the picture it is."""
    parts = (part for part in folder.glob(f".{UUID(media).hex}.*.part") if NAMELESS not in part.suffixes[-2])
    return next(parts, None)


def _part(folder: Path, media: str, answer: httpx.Response) -> tuple[Path, str]:
    """(the file to write on at its end, the SHA-256 that it should have; "" where the studio does not say)."""
    found = SHA256.fullmatch(answer.headers.get("ETag", ""))
    part = folder / f".{UUID(media).hex}.{found[1] if found else NAMELESS}.part"
    if answer.status_code == 200:
        part.unlink(missing_ok=True)
    return part, found[1] if found else ""


def _name(answer: httpx.Response, media: str) -> str:
    """As the studio calls it, without anything that could lead out of the folder."""
    header = Message()
    header["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    said = Path(UNSAFE.sub("-", header.get_filename() or "picture.png").replace("\\", "-"))
    return f"{said.stem.lstrip('.') or 'picture'}-{_mark(media)}{said.suffix or '.png'}"
