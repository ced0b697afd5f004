"""Which part of a picture a channel shows."""

from dataclasses import dataclass

from PIL import Image

# Pixels of the crop that one pixel of the channel may lack before it counts as too small: a rounding, no enlargement.
SLACK = 0.98


@dataclass(frozen=True)
class Crop:
    """The rectangle (left, top, right, bottom) of the picture, in pixels, and the size that it becomes."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """How many times larger it becomes; below 1, smaller."""
        return self.size[0] / (self.box[2] - self.box[0])

    @property
    def is_enlarged(self) -> bool:
        """Whether the picture has fewer pixels than the channel wants."""
        return self.scale * SLACK > 1


def crop_for(picture: tuple[int, int], wanted: tuple[int, int] | None, focus: tuple[float, float]) -> Crop:
    """The largest part of the wanted proportions whose middle is as near to `focus` as the picture's edges allow.

    Without a wanted size: the whole picture.
    """
    width, height = picture
    if wanted is None:
        return Crop((0, 0, width, height), picture)
    ratio = wanted[0] / wanted[1]
    if width / height > ratio:
        w, h = max(1, min(width, round(height * ratio))), height
    else:
        w, h = width, max(1, min(height, round(width / ratio)))
    left = min(max(round(focus[0] * width - w / 2), 0), width - w)
    top = min(max(round(focus[1] * height - h / 2), 0), height - h)
    return Crop((left, top, left + w, top + h), wanted)


def cut(image: Image.Image, crop: Crop) -> Image.Image:
    """The part, in its new size. Filtered at once from the original, in linear steps where it shrinks a lot."""
    if crop.box == (0, 0, *image.size) and crop.size == image.size:
        return image.copy()
    return image.resize(crop.size, Image.Resampling.LANCZOS, box=crop.box, reducing_gap=3.0)
