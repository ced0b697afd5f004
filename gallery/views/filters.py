"""The gallery's filter panel: what can be chosen, and what is."""

from collections.abc import Iterable
from dataclasses import dataclass

from gallery.colours import SWATCHES
from gallery.models import Media
from gallery.search import Choices, Search, Sort
from gallery.search.form import STATUSES, Colour, Shape, Size

BESIDE = ("tab", "sort", "q", "meaning", "like")  # what is asked for outside the panel

Option = tuple[str, str]  # value, label


@dataclass(frozen=True)
class Select:
    """One list to choose from; without options it is not shown."""

    name: str
    label: str
    options: list[Option]
    chosen: str


@dataclass(frozen=True)
class Panel:
    """All that the template draws."""

    selects: list[Select]
    swatches: list[tuple[str, str, str]]  # value, label, colour
    shapes: list[Option]
    sorts: list[tuple[str, str, bool]]  # label, address, whether it is the one
    kept_by_text: list[Option]  # what the search field's form carries along
    kept_by_panel: list[Option]
    meaning: tuple[str, bool]  # the address that turns it over, whether it is on
    on: int  # how many filters of the panel are


def panel(search: Search, found: Choices) -> Panel:
    """Of what occurs, and of what is chosen even if it does not."""
    asked = {name: "" if value is None else str(value) for name, value in search.cleaned_data.items()}
    ways = dict(Media.Way.choices)

    def select(name: str, options: Iterable[tuple[object, object]]) -> Select:
        known = [(str(value), str(label)) for value, label in options]
        if asked[name] and asked[name] not in dict(known):
            known.append((asked[name], asked[name]))
        return Select(name, str(search.fields[name].label), known, asked[name])

    selects = [
        select("person", found.people),
        select("model", _named(found.models)),
        select("style", _named(found.styles)),
        select("way", [(way, ways.get(way, way)) for way in found.ways]),
        select("album", found.albums),
        select("tag", _named(found.tags)),
        select("status", STATUSES),
        select("size", Size.choices),
    ]
    sorts = [sort for sort in Sort if sort != Sort.BEST or search.has_matches]
    return Panel(
        selects=[one for one in selects if len(one.options) > 1 or one.chosen],
        swatches=[(value, str(label), SWATCHES[value]) for value, label in Colour.choices],
        shapes=[(value, str(label)) for value, label in Shape.choices],
        sorts=[(str(sort.label), search.query(sort=sort.value), sort == search.sort_name) for sort in sorts],
        kept_by_text=search.kept(leaving="q"),
        kept_by_panel=[(name, value) for name, value in search.kept() if name in BESIDE],
        meaning=(search.query(meaning=not search.cleaned_data["meaning"], sort=""), search.cleaned_data["meaning"]),
        on=sum(name not in BESIDE for name in search.on()),
    )


def _named(values: Iterable[str]) -> list[Option]:
    return [(value, value) for value in values]
