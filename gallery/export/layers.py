"""What is laid over a crop: the team's logo, and words in its typeface, both within the safe area."""

import io
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw, ImageFont

from gallery.export.spec import LogoLayer, TextLayer

MARGIN = 0.04  # of the shorter side, between a layer and the edge of the safe area
LINE = 1.25  # heights of a line


@dataclass(frozen=True)
class Safe:
    """What a channel covers, in shares of the sides."""

    top: float = 0
    bottom: float = 0
    sides: float = 0

    def area(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) that stays visible, less a margin."""
        width, height = size
        margin = MARGIN * min(size)
        return (
            round(self.sides * width + margin),
            round(self.top * height + margin),
            round((1 - self.sides) * width - margin),
            round((1 - self.bottom) * height - margin),
        )


def lay_logo(image: Image.Image, logo: Image.Image, layer: LogoLayer, safe: Safe) -> Image.Image:
    """`image` with the mark in its place."""
    edge = max(8, round(min(image.size) * layer.size / 100))
    scale = edge / max(logo.size)
    small = logo.convert("RGBA").resize(
        (max(1, round(logo.width * scale)), max(1, round(logo.height * scale))), Image.Resampling.LANCZOS
    )
    if layer.opacity < 100:
        small.putalpha(small.getchannel("A").point(lambda a: a * layer.opacity // 100))
    return _over(image, small, _corner(layer.place, small.size, safe.area(image.size)))


def lay_text(image: Image.Image, layer: TextLayer, font: bytes | None, safe: Safe) -> Image.Image:
    """`image` with the words in their place, broken to the width of the safe area."""
    height = max(8, round(min(image.size) * layer.size / 100))
    face = ImageFont.truetype(io.BytesIO(font), height) if font else ImageFont.load_default(height)
    left, top, right, bottom = safe.area(image.size)
    pad = round(height * 0.4) if layer.shade else 0
    words = _wrap(layer.text, face, right - left - 2 * pad)
    drawing = ImageDraw.Draw(Image.new("L", (1, 1)))
    align = "right" if layer.place.endswith("right") else "left" if layer.place.endswith("left") else "center"
    spacing = round(height * (LINE - 1))
    x0, y0, x1, y1 = drawing.multiline_textbbox((0, 0), words, font=face, align=align, spacing=spacing)
    size = (round(x1 - x0) + 2 * pad + 1, round(y1 - y0) + 2 * pad + 1)
    ground = (*ImageColor.getrgb(layer.shade)[:3], 235) if layer.shade else (0, 0, 0, 0)
    plate = Image.new("RGBA", size, ground)
    colour = ImageColor.getrgb(layer.colour)
    ImageDraw.Draw(plate).multiline_text(
        (pad - x0, pad - y0), words, font=face, fill=colour, align=align, spacing=spacing
    )
    return _over(image, plate, _corner(layer.place, size, (left, top, right, bottom)))


def _wrap(text: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and face.getlength(longer) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def _corner(place: str, size: tuple[int, int], area: tuple[int, int, int, int]) -> tuple[int, int]:
    left, top, right, bottom = area
    x, y = (left + right - size[0]) // 2, (top + bottom - size[1]) // 2
    if place.endswith("left"):
        x = left
    elif place.endswith("right"):
        x = right - size[0]
    if place.startswith("top"):
        y = top
    elif place.startswith("bottom"):
        y = bottom - size[1]
    return x, y


def _over(image: Image.Image, layer: Image.Image, at: tuple[int, int]) -> Image.Image:
    whole = Image.new("RGBA", image.size, (0, 0, 0, 0))
    whole.paste(layer, at)
    laid = Image.alpha_composite(image.convert("RGBA"), whole)
    return laid if image.mode == "RGBA" else laid.convert("RGB")
