"""Lucide's icons in templates, each drawn once a process.

The package copies and writes its SVG tree anew for each use: on a page with a hundred icons, half of its time.
"""

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@register.simple_tag
def lucide(name: str, *, size: int = 24, **attributes: object) -> str:
    """`{% lucide "trash-2" size=18 class="…" %}`"""
    return _drawn(name, size, tuple(sorted(attributes.items())))


@lru_cache(maxsize=2048)
def _drawn(name: str, size: int, attributes: tuple[tuple[str, object], ...]) -> str:
    return draw(name, size=size, **dict(attributes))
