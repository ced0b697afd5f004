"""Finished pictures and step previews as an OpenAI client wants them: its size, its file format."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from gallery import renditions, services
from gallery.models import Media
from generator.api.openai.wants import ImagesIn

USUAL_QUALITY = 90


@dataclass(frozen=True)
class Look:
    """How pictures are to come. `size` None: as they were drawn."""

    size: tuple[int, int] | None = None
    file: str = "png"
    quality: int = USUAL_QUALITY

    @classmethod
    def wanted(cls, wanted: ImagesIn) -> "Look":
        """What a request says of it."""
        quality = USUAL_QUALITY if wanted.output_compression is None else wanted.output_compression
        return cls(wanted.pixels, wanted.output_format or "png", quality)


def picture(media: Media, look: Look) -> bytes:
    """A finished picture: enlarged or reduced smoothly to the size asked for, marked where it may only leave as a
    draft. A PNG keeps its recipe."""
    marked = services.is_draft(media)
    is_kept_so = look.file == "png" and media.file.name.endswith(".png")
    if is_kept_so and look.size in (None, (media.width, media.height)) and not marked:
        with media.file.open("rb") as stored:
            return stored.read()  # as it is kept, recipe and all
    with media.file.open("rb") as stored, Image.open(stored) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data and look.file != "jpeg" else "RGB")
    image = _sized(image, look)
    if marked:
        image = renditions.with_draft_mark(image)
    return _encoded(image, look, media.recipe)


def preview(data: bytes, look: Look) -> bytes:
    """A step's preview, a small WebP, in the file format asked for and in its own size."""
    with Image.open(io.BytesIO(data)) as opened:
        return _encoded(opened.convert("RGB"), look, {})


def _sized(image: Image.Image, look: Look) -> Image.Image:
    if look.size is None or image.size == look.size:
        return image
    return image.resize(look.size, Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, look: Look, recipe: dict[str, Any]) -> bytes:
    if look.file == "png":
        return renditions.png_with_recipe(image, recipe)
    buffer = io.BytesIO()
    image.save(buffer, look.file.upper(), quality=look.quality)
    return buffer.getvalue()
