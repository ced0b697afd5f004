"""From pixels to the bytes of a file: sRGB with its profile, a quality or a size to keep to, credits in it."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

LOWEST = 20  # quality below which no size is worth it
FINE = 90  # from this quality on, JPEG keeps every pixel's own colour
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif"}
TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif"}
_EXIF_DESCRIPTION, _EXIF_SOFTWARE, _EXIF_ARTIST, _EXIF_COPYRIGHT = 0x010E, 0x0131, 0x013B, 0x8298


@dataclass(frozen=True)
class Credits:
    """What a file says of itself to whoever opens it elsewhere."""

    title: str = ""
    maker: str = ""
    rights: str = ""


@dataclass(frozen=True)
class Encoded:
    """A file in memory, the quality it was written with, and whether it keeps to the size that was asked for."""

    data: bytes
    quality: int | None
    fits: bool = True


@cache
def srgb_profile() -> bytes:
    """The profile that every exported file carries, so that no program has to guess."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encode(
    image: Image.Image,
    format: str,  # noqa: A002 (the field's own name)
    *,
    quality: int,
    max_bytes: int | None = None,
    dpi: int | None = None,
    credits: Credits | None = None,  # noqa: A002
) -> Encoded:
    """`image` as jpeg, png, webp or avif. With `max_bytes`: the best quality up to `quality` that is no larger."""
    image = _flat(image) if format == "jpeg" else image
    more = _options(format, dpi, credits)
    if format == "png":
        data = _save(image, format, more)
        return Encoded(data, None, max_bytes is None or len(data) <= max_bytes)
    data = _save(image, format, more | _by_quality(format, quality))
    if max_bytes is None or len(data) <= max_bytes:
        return Encoded(data, quality)
    return _search(image, format, more, quality, max_bytes)


def _search(image: Image.Image, format: str, more: dict[str, Any], quality: int, max_bytes: int) -> Encoded:  # noqa: A002
    """Halves the qualities between LOWEST and `quality`, which does not fit: seven files at most are written."""
    low, high = min(LOWEST, quality), quality - 1
    best: Encoded | None = None
    data = b""
    while low <= high:
        middle = (low + high) // 2
        data = _save(image, format, more | _by_quality(format, middle))
        if len(data) <= max_bytes:
            best, low = Encoded(data, middle), middle + 1
        else:
            high = middle - 1
    return best or Encoded(data, min(LOWEST, quality), fits=False)


def _options(format: str, dpi: int | None, credits: Credits | None) -> dict[str, Any]:  # noqa: A002
    more: dict[str, Any] = {"icc_profile": srgb_profile()}
    if dpi and format in ("jpeg", "png"):
        more["dpi"] = (dpi, dpi)
    if credits is None:
        return more
    if format == "png":
        facts = PngImagePlugin.PngInfo()
        for key, value in (("Title", credits.title), ("Author", credits.maker), ("Copyright", credits.rights)):
            if value:
                facts.add_itxt(key, value)
        facts.add_itxt("Software", "Atelier")
        return more | {"pnginfo": facts}
    exif = Image.Exif()
    exif[_EXIF_SOFTWARE] = "Atelier"
    tags = ((_EXIF_DESCRIPTION, credits.title), (_EXIF_ARTIST, credits.maker), (_EXIF_COPYRIGHT, credits.rights))
    for tag, value in tags:
        if value:
            exif[tag] = value.encode()  # UTF-8, as most programs read it; a text would lose all but ASCII
    return more | {"exif": exif.tobytes()}


def _by_quality(format: str, quality: int) -> dict[str, Any]:  # noqa: A002
    if format == "jpeg":
        return {"quality": min(quality, 98), "subsampling": 0 if quality >= FINE else 2}
    return {"quality": quality}


def _save(image: Image.Image, format: str, options: dict[str, Any]) -> bytes:  # noqa: A002
    fixed: dict[str, Any] = {
        "jpeg": {"optimize": True, "progressive": True},
        "png": {"compress_level": 6},
        "webp": {"method": 4},
        "avif": {"speed": 7},
    }[format]
    buffer = io.BytesIO()
    image.save(buffer, format.upper(), **fixed, **options)
    return buffer.getvalue()


def _flat(image: Image.Image) -> Image.Image:
    """On white where it is transparent: JPEG knows no transparency."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
