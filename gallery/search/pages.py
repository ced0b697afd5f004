"""A page of what was found, and the neighbours of one picture in the same order.

Pages are read by keyset: the cursor is the place of the last picture seen, and the next page begins behind it by the
index, as fast on page 1,000 as on the first. The best match of a text is no order that an index could have: the newest
RANKED matches are ranked, and read from that list.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, F, Func, QuerySet, Value

from accounts.models import User
from gallery.models import Media
from gallery.models.words import Moment, Rank
from gallery.search.form import Search, Sort
from gallery.search.grounds import grounds
from gallery.search.reach import GATHERING, WHOLLY, WINDOW, gathering, last_of, within

PAGE = 40
RANKED = 2000
SAMPLE = 1000  # pictures that say how many match
WALKED = 6000  # pictures that are looked at one by one, at most; where more would be, matches are gathered by bitmaps
FAR = 40_000  # likewise for the newest matches of a text; to gather a word of every 20th of a million takes as long
RARE = 10  # matches, below which they say too little of how many there are
TRIES = 3


@dataclass(frozen=True)
class Order:
    """Columns that are all read in one direction; the last one is unique."""

    columns: tuple[str, ...]
    is_descending: bool = True

    def of(self, media: Media) -> tuple:
        """The place of `media`."""
        return tuple(getattr(media, column) for column in self.columns)

    def apply(self, pictures: QuerySet[Media], after: tuple | None, *, back: bool = False) -> QuerySet[Media]:
        """`pictures` behind the place `after`; with `back` those before it, the nearest first."""
        down = self.is_descending != back
        if after is not None:
            pictures = pictures.filter(Beyond(self.columns, after, down))
        return pictures.order_by(*(f"-{column}" if down else column for column in self.columns))


ORDERS = {
    Sort.NEWEST: Order(("created", "id")),
    Sort.OLDEST: Order(("created", "id"), is_descending=False),
    Sort.LIKED: Order(("like_count", "created", "id")),
    Sort.RATED: Order(("stars", "created", "id")),
}
READ: dict[str, Callable[[str], Any]] = {
    "created": lambda text: _moment(datetime.fromisoformat(text)),
    "id": UUID,
    "like_count": lambda text: _count(int(text)),
    "stars": float,
    "score": float,
}


class Beyond(Func):
    """`(a, b, c) < (x, y, z)`, which an index answers where a chain of ORs would have it read all equal rows again."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, columns: Iterable[str], place: tuple, down: bool) -> None:
        fields = [Media._meta.get_field(column) for column in columns]
        values = [Value(value, output_field=field) for value, field in zip(place, fields, strict=True)]
        super().__init__(*(F(field.name) for field in fields), *values)
        self.sign = "<" if down else ">"

    def as_sql(self, compiler, connection, **_context: Any) -> tuple[str, list]:  # type: ignore[override]
        """The same on both databases."""
        parts = [compiler.compile(expression) for expression in self.get_source_expressions()]
        half = len(parts) // 2
        left, right = (", ".join(sql for sql, _params in some) for some in (parts[:half], parts[half:]))
        return f"({left}) {self.sign} ({right})", [param for _sql, params in parts for param in params]


@dataclass(frozen=True)
class Page:
    """Some pictures, and the cursor of the next page or ""."""

    pictures: list[Media]
    next: str


def page(search: Search, viewer: User, team: UUID | None, *, after: str = "", size: int = PAGE) -> Page:
    """A page of `search` behind the cursor `after`. ValueError for a cursor that never was one."""
    if search.sort_name == Sort.BEST:
        return _page_of_ranked(search, viewer, team, after, size)
    order = ORDERS[Sort(search.sort_name)]
    place = _read(after, order.columns) if after else None
    found = _merged(search, viewer, team, order, place, size + 1)
    return Page(found[:size], _cursor(order.of(found[size - 1])) if len(found) > size else "")


def neighbours(search: Search, viewer: User, team: UUID | None, media: Media) -> tuple[Media | None, Media | None]:
    """(the picture before `media` in the order of `search`, the one behind it)."""
    if search.sort_name == Sort.BEST:
        ranked = [pk for _score, _moment, pk in _ranked(search, viewer, team)]
        if media.pk not in ranked:
            return None, None
        at = ranked.index(media.pk)
        beside = Media.objects.in_bulk(ranked[max(0, at - 1) : at + 2])
        return beside.get(ranked[at - 1]) if at else None, beside.get(ranked[at + 1]) if at + 1 < len(ranked) else None
    order = ORDERS[Sort(search.sort_name)]
    before = _merged(search, viewer, team, order, order.of(media), 1, back=True)
    behind = _merged(search, viewer, team, order, order.of(media), 1)
    return (before[0] if before else None), (behind[0] if behind else None)


def _merged(
    search: Search, viewer: User, team: UUID | None, order: Order, place: tuple | None, size: int, *, back: bool = False
) -> list[Media]:
    """The first `size` of all grounds together. The first `size` of each are enough for that.

    Places are looked for, which stand in indexes and are light to sort; the rows are read of those that are wanted.
    """
    down = order.is_descending != back
    places: list[tuple] = []
    for ground in grounds(viewer, search.tab_name, team):
        # A stretch of time is a stretch of the index where that is the order.
        some = search.dated(ground) if order.columns[0] == "created" else ground
        if len(places) == size:  # only what would come before the last of these is still of interest
            some = some.filter(Beyond(order.columns, places[-1], not down))
        places = sorted({*places, *_first(search, viewer, order, some, place, size, back)}, reverse=down)[:size]
    return _read_rows(place[-1] for place in places)


def _first(
    search: Search, viewer: User, order: Order, ground: QuerySet[Media], place: tuple | None, size: int, back: bool
) -> list[tuple]:
    """The places of the first `size` of `ground` behind `place`."""

    def places(matches: QuerySet[Media]) -> list[tuple]:
        return list(matches.values_list(*order.columns)[:size])

    ordered = order.apply(ground, place, back=back)
    if not search.is_narrowed:
        return places(ordered)
    found = places(search.narrow(within(ordered), viewer))
    if len(found) == size or not (end := last_of(ordered, order.columns)):
        return found
    if (more := _further(WINDOW, size, found)) <= WALKED:
        found += places(search.narrow(within(order.apply(ground, end, back=back), more), viewer))
        if len(found) >= size:
            return found[:size]
    with gathering():
        return places(search.narrow(ordered, viewer))


def _further(walked: int, wanted: int, found: list) -> int:
    """How many more are to be looked at, as those looked at suggest, and a fifth for luck."""
    return int(1.2 * walked * wanted / max(1, len(found))) - walked


def _read_rows(pks: Iterable[UUID]) -> list[Media]:
    """In that order, without the words that only a search looks at; one that is gone by now is left out."""
    pks = list(pks)
    rows = Media.objects.defer("words").in_bulk(pks)
    return [rows[pk] for pk in pks if pk in rows]


def _page_of_ranked(search: Search, viewer: User, team: UUID | None, after: str, size: int) -> Page:
    ranked = _ranked(search, viewer, team)
    if after:
        score, created, pk = _read(after, ("score", "created", "id"))
        ranked = [row for row in ranked if row < (score, Moment.of(created), pk)]
    wanted = ranked[:size]
    pictures = _read_rows(pk for _score, _moment, pk in wanted)
    if len(ranked) <= size:
        return Page(pictures, "")
    score, moment, pk = wanted[-1]
    return Page(pictures, _cursor((score, Moment.read(moment), pk)))


def _ranked(search: Search, viewer: User, team: UUID | None) -> list[tuple[float, int, UUID]]:
    """(score, Moment of creation, id) of the newest RANKED matches, the best first, the newest of equals first."""
    if search.likeness is not None:
        return _likest(search, viewer, team, search.likeness)
    newest: list[tuple[int, UUID, float]] = []
    for ground in grounds(viewer, search.tab_name, team):
        ordered = ORDERS[Sort.NEWEST].apply(search.dated(ground), None)
        if len(newest) >= RANKED:  # as for a page: nothing older can be among the newest
            last = min(newest) if len(newest) == RANKED else sorted(newest)[-RANKED]
            ordered = ordered.filter(created__gte=Moment.read(last[0]))
        found = _newest_matches(search, viewer, ordered)
        newest = [*{*newest, *found}] if newest and found else newest or found
    latest = sorted(newest, reverse=True)[:RANKED] if len(newest) > RANKED else newest
    return sorted(((score, moment, pk) for moment, pk, score in latest), reverse=True)


def _likest(search: Search, viewer: User, team: UUID | None, likeness: dict[UUID, float]) -> list:
    """The same of what a search by meaning brought: those that the viewer sees and the filters let by."""
    found: dict[UUID, int] = {}
    for ground in grounds(viewer, search.tab_name, team):
        found.update(search.narrow(search.dated(ground), viewer).order_by().values_list("pk", Moment("created")))
    return sorted(((likeness[pk], moment, pk) for pk, moment in found.items()), reverse=True)


def _newest_matches(search: Search, viewer: User, ordered: QuerySet[Media]) -> list[tuple[int, UUID, float]]:
    """(Moment of creation, id, score) of at most RANKED. How dense they are among the latest says how they are come by.

    A frequent word is found by walking on, which ends with the last that is wanted; the index of words would bring all
    pictures that have it. A rare one is found by that index, in the stretch of time that should hold enough.
    """

    def scored(matches: QuerySet[Media]) -> list:
        return list(matches.values_list(Moment("created"), "pk", Rank(search.wanted))[:RANKED])

    def gathered(pictures: QuerySet[Media], settings: dict[str, str] = GATHERING) -> list:
        with gathering(settings):
            return scored(within(search.narrow(pictures, viewer).only("created", "words"), RANKED))

    number = SAMPLE
    while True:
        found = scored(search.narrow(within(ordered, number), viewer))
        if len(found) == RANKED or not (end := last_of(ordered, ("created",), number)):
            return found
        if number < FAR and 1.2 * number * RANKED <= FAR * len(found):
            number = FAR
        elif number < WALKED and (found or not last_of(ordered, ("created",), WALKED)):
            number = WALKED  # the latest few may not be like the others; or all there are fit in
        else:
            break
    since = end[0]
    for _try in range(TRIES):
        if len(found) < RARE:
            break
        latest = Moment.read(found[0][0])
        since = latest - (latest - since) * (1.3 * RANKED / len(found))
        found = gathered(ordered.filter(created__gte=since), WHOLLY)
        if len(found) == RANKED:
            return found
    return gathered(ordered)


def _cursor(place: tuple) -> str:
    text = " ".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in place)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, columns: tuple[str, ...]) -> tuple:
    parts = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
    return tuple(READ[column](part) for column, part in zip(columns, parts, strict=True))


def _moment(read: datetime) -> datetime:
    if read.tzinfo is None:
        raise ValueError("a moment without a time zone")
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment before the first year or after the last") from error


def _count(read: int) -> int:
    if not 0 <= read < 2**31:
        raise ValueError("a number that the column cannot hold")
    return read
