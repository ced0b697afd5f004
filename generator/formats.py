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
