"""Formats named by the channel they are for, and the size a model draws them in."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generator.diffusion.spec import fit_size


@dataclass(frozen=True)
class Format:
    """A channel's proportions."""

    slug: str
    label: str | Promise
    wide: int
    high: int

    @property
    def ratio(self) -> str:
        """As people write it: 16:9."""
        return f"{self.wide}:{self.high}"

    def size(self, native: int) -> tuple[int, int]:
        """(width, height) in pixels of equal area to a native square, in multiples of 8."""
        return fit_size(self.wide, self.high, native)


FORMATS: dict[str, Format] = {
    item.slug: item
    for item in (
        Format("square", _("Square post"), 1, 1),
        Format("portrait", _("Portrait"), 4, 5),
        Format("story", _("Story"), 9, 16),
        Format("landscape", _("Landscape"), 16, 9),
        Format("banner", _("Banner"), 3, 1),
    )
}


def nearest_format(width: int, height: int) -> Format:
    """The format whose proportions are nearest: under its name such a picture is found in the gallery."""
    return min(FORMATS.values(), key=lambda item: abs(width * item.high / (height * item.wide) - 1))


# What keeps a picture's own proportions, or gets those that its margins make.
AS_PICTURE = Format("source", _("As the picture"), 1, 1)


def find_format(slug: str) -> Format:
    """The format of that short name, AS_PICTURE among them."""
    return FORMATS.get(slug, AS_PICTURE)
