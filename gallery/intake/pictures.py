"""One file that may be a picture: what it is, whether it is safe to decode, and its pixels as plain sRGB."""

import contextlib
import io
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from gallery.intake.unfit import MOST_PIXELS, Unfit

LONGEST_SIDE = 20_000
HEAD = 4096  # bytes that tell what a file is

# What is decoded, by what stands at the beginning of the file. Everything else is refused before any decoder sees it.
EXTENSIONS = {
    "PNG": ("png", "apng"),
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "GIF": ("gif",),
    "WEBP": ("webp",),
    "AVIF": ("avif", "avifs"),
    "TIFF": ("tif", "tiff"),
    "BMP": ("bmp",),
    "DICOM": ("dcm", "dicom", "dic", "ima"),
}


@dataclass
class Read:
    """A picture that is safe now: pixels alone (RGB or RGBA), and what was found out about the file."""

    image: Image.Image
    kind: str
    notes: list[str] = field(default_factory=list)  # codes of what was changed
    text: dict[str, str] = field(default_factory=dict)  # of PNG chunks and the like, for gallery.intake.history
    exif: dict[str, Any] = field(default_factory=dict)


def read(path: Path, name: str) -> Read:
    """The picture in a file that was called `name`. Unfit for what is none, or none that may be decoded."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    kind = sniff(head)
    notes = [] if name.rsplit(".", 1)[-1].lower() in EXTENSIONS[kind] or "." not in name else ["wrong-extension"]
    if kind == "DICOM":
        from gallery.intake.dicom import read_dicom  # which takes a while to import

        found = read_dicom(path, notes)
        return Read(found if found.mode == "RGB" else found.convert("RGB"), kind, notes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's own, softer limits
            with Image.open(path, formats=[kind]) as image:
                return _read(image, kind, notes, head)
    except Image.DecompressionBombError as error:
        raise Unfit("too-many-pixels", most=MOST_PIXELS // 1_000_000) from error
    except UnidentifiedImageError as error:
        raise Unfit("broken") from error
    except (OSError, SyntaxError, struct.error, EOFError) as error:
        raise Unfit("cut-off" if "truncated" in str(error).lower() else "broken") from error
    except (ValueError, OverflowError, TypeError, KeyError, IndexError, ZeroDivisionError) as error:
        raise Unfit("metadata" if "text" in str(error).lower() else "broken") from error
    except MemoryError as error:
        raise Unfit("too-many-pixels", most=MOST_PIXELS // 1_000_000) from error


def sniff(head: bytes) -> str:
    """The kind by its first bytes, whatever its name says. Unfit with a code of its own for what people often bring."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis") or b"avif" in head[16:64]:
            return "AVIF"
        raise Unfit("heic" if head[8:12] in (b"heic", b"heix", b"mif1", b"hevc") else "film")
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "TIFF"
    if head.startswith(b"BM") and len(head) > 26:
        return "BMP"
    if head[128:132] == b"DICM":
        return "DICOM"
    raise Unfit(_what_else(head))


def _what_else(head: bytes) -> str:
    if not head:
        return "empty"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and b"<svg" in text:
        return "svg"
    if text.startswith(b"<"):
        return "web-page"
    for start, code in ((b"%PDF", "pdf"), (b"8BPS", "photoshop"), (b"PK\x03\x04", "archive")):
        if head.startswith(start):
            return code
    return "no-picture"


def _read(image: Image.Image, kind: str, notes: list[str], head: bytes) -> Read:
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Unfit("too-many-pixels", width=width, height=height, most=MOST_PIXELS // 1_000_000)
    found = Read(image, kind, notes)
    if getattr(image, "is_animated", False):
        notes.append("animated")
        image.seek(0)
    profile = image.info.get("icc_profile")
    image.load()
    found.text = {key: value for key, value in image.info.items() if isinstance(value, str)}
    exif = image.getexif()
    found.exif = exif_facts(exif)
    if exif.get(0x0112, 1) != 1:
        notes.append("turned")
        image = ImageOps.exif_transpose(image)
    if _bits(kind, head, image) > 8:
        notes.append("16-bit")
    found.image = to_srgb(image, profile, notes)
    return found


def _bits(kind: str, head: bytes, image: Image.Image) -> int:
    if kind == "PNG":
        return head[24]
    return 16 if image.mode.startswith("I") else 8


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """RGB, or RGBA where something is transparent, in sRGB with eight bits, without anything but its pixels."""
    if image.mode == "CMYK":
        notes.append("cmyk")
    if image.mode.startswith("I"):
        # From 0..65535 to 0..255: 257 steps each, rounded. (Pillow's own conversion clips.)
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    elif image.mode == "F" or image.mode == "LAB":
        raise Unfit("colours", mode=image.mode)
    alpha = _alpha(image)
    plain = _by_profile(image, profile, notes) if profile else None
    plain = plain if plain is not None else image.convert("RGB")
    if alpha is not None:
        plain.putalpha(alpha)
    clean = Image.new(plain.mode, plain.size)  # carries no metadata over
    clean.paste(plain)
    return clean


def _alpha(image: Image.Image) -> Image.Image | None:
    """What is transparent, unless nothing is."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _by_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        flat = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
        made = ImageCms.profileToProfile(flat, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("profile-broken")
        return None
    notes.append("profile")
    return made


# What is worth keeping of EXIF, under its own names; the rest is thumbnails and makers' secrets.
_TAGS = {
    0x010E: "description",
    0x010F: "camera_maker",
    0x0110: "camera",
    0x0131: "software",
    0x0132: "changed",
    0x013B: "artist",
    0x8298: "copyright",
}
_CAMERA_TAGS = {
    0x829A: "exposure_seconds",
    0x829D: "aperture",
    0x8827: "iso",
    0x9003: "taken",
    0x920A: "focal_length",
    0xA434: "lens",
    0x9286: "user_comment",
}
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def exif_facts(exif: Image.Exif) -> dict[str, Any]:
    """Readable facts; "place" is (latitude, longitude), "user_comment" is for gallery.intake.history."""
    facts: dict[str, Any] = {}
    for tags, values in ((_TAGS, exif), (_CAMERA_TAGS, _ifd(exif, _EXIF_IFD))):
        for tag, name in tags.items():
            if (value := _plain(values.get(tag))) not in (None, ""):
                facts[name] = value
    if place := _place(_ifd(exif, _GPS_IFD)):
        facts["place"] = place
    return facts


def _ifd(exif: Image.Exif, tag: int) -> dict[int, Any]:
    try:
        return exif.get_ifd(tag) or {}
    except (OSError, ValueError, TypeError, KeyError, struct.error):
        return {}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _comment(value)
    if isinstance(value, str):
        with contextlib.suppress(UnicodeError):  # Pillow takes each byte for a letter; most programs write UTF-8
            value = value.encode("latin-1").decode()
        return value.strip("\0 ")[:20_000]
    if isinstance(value, tuple):
        return _plain(value[0]) if value else None
    try:
        return round(float(value), 6)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _comment(value: bytes) -> str:
    """EXIF's UserComment: eight bytes name the encoding. What A1111 writes is UTF-16, big-endian as it stands."""
    code, body = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        little = body[1:2] == b"\0" and body[:1] != b"\0"
        return body.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\0 ")
    return (body if code.startswith((b"ASCII", b"\0\0\0\0")) else value).decode("utf-8", "replace").strip("\0 ")


def _place(gps: dict[int, Any]) -> list[float] | None:
    try:
        return [_degrees(gps[2], gps.get(1, "N")), _degrees(gps[4], gps.get(3, "E"))]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None


def _degrees(parts: Any, side: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return round((degrees + minutes / 60 + seconds / 3600) * (-1 if side in ("S", "W") else 1), 5)
