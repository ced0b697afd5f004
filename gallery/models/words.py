"""The column that text search works on: a tsvector in PostgreSQL, plain words that FTS5 indexes in SQLite."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Func, Lookup

from gallery.words import Wanted, Words, cut, mark

FTS = "gallery_words"  # SQLite's index, kept by triggers: gallery/fulltext.py
# Longest edge in pixels below which a picture is small, medium or large; what is more is huge.
EDGES = {"small": 768, "medium": 1536, "large": 3072}
# Width over height below which it is tall, portrait, square or landscape; what is more is wide.
RATIOS = {"tall": 0.5, "portrait": 0.91, "square": 1.1, "landscape": 2.0}


def words_of(media: Any, tags: list[str]) -> Words:
    """What `media` is found by: its title, `tags` and prompt, and marks of what it may have several of."""
    adapters = media.recipe.get("adapters") or [] if isinstance(media.recipe, dict) else []
    marks = [
        *(mark("tag", tag) for tag in tags),
        *(mark("colour", colour) for colour in media.colours.split()),
        *(mark("adapter", name) for adapter in adapters if (name := _name(adapter))),
        mark("size", size_of(media.width, media.height)),
        mark("shape", shape_of(media.width, media.height)),
    ]
    spoken = tuple(word for tag in tags for word in cut(tag))
    return Words(tuple(cut(media.title)), spoken, tuple(cut(media.prompt)), tuple(dict.fromkeys(marks)))


def _name(adapter: Any) -> str:
    return str(adapter.get("name") or adapter.get("slug") or "") if isinstance(adapter, dict) else str(adapter)


def size_of(width: int, height: int) -> str:
    """small, medium, large or huge."""
    return next((name for name, edge in EDGES.items() if max(width, height) < edge), "huge")


def shape_of(width: int, height: int) -> str:
    """tall, portrait, square, landscape or wide."""
    return next((name for name, ratio in RATIOS.items() if width / max(height, 1) < ratio), "wide")


class WordsField(models.Field):
    """Made anew from the row whenever it is saved whole; services that change a part of it say so themselves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False, "default": ""})

    def deconstruct(self) -> tuple:
        """Without what is always so."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {key: value for key, value in kwargs.items() if key not in ("editable", "default")}

    def db_type(self, connection) -> str:
        """By vendor."""
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """The words of the row as it is now."""
        if not hasattr(model_instance, "tags"):  # a row of an earlier time, in a migration
            return getattr(model_instance, self.attname)
        tags = [] if add else list(model_instance.tags.values_list("name", flat=True))
        return words_of(model_instance, tags)

    def get_db_prep_value(self, value: Any, connection, prepared: bool = False) -> Any:
        """As the database keeps it."""
        if isinstance(value, Words):
            return value.as_vector() if connection.vendor == "postgresql" else value.as_line()
        return value


@WordsField.register_lookup
class Matches(Lookup):
    """`words__matches=Wanted(...)`: all of it is there."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection) -> tuple[str, list]:
        """By the GIN index, or row by row where the planner finds that shorter."""
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} @@ %s::tsquery", [*params, self.rhs.as_tsquery()]

    def as_sqlite(self, compiler, connection) -> tuple[str, list]:
        """By FTS5."""
        key = f"{compiler.quote_name_unless_alias(self.lhs.alias)}.{connection.ops.quote_name('id')}"
        return f"{key} IN (SELECT media FROM {FTS} WHERE {FTS} MATCH %s)", [self.rhs.as_match()]  # noqa: S608


class Rank(Func):
    """How well a row that matches does so; more is better. Only to compare rows of one search."""

    output_field = models.FloatField()

    def __init__(self, wanted: Wanted) -> None:
        super().__init__("words")
        self.wanted = wanted

    def as_postgresql(self, compiler, connection, **context: Any) -> tuple[str, list]:
        """Weights of D, C, B, A."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"ts_rank('{{0.2, 0.2, 0.6, 1}}', {sql}, %s::tsquery)", [*params, self.wanted.as_tsquery()]

    def as_sqlite(self, compiler, connection, **context: Any) -> tuple[str, list]:
        """The words themselves: FTS5's own rank looks through the whole index again for each row."""
        return compiler.compile(self.source_expressions[0])

    def get_db_converters(self, connection) -> list:
        """A database's float is one: thousands are read."""
        return [] if connection.vendor == "postgresql" else [self._of_line]

    def _of_line(self, line: str, _expression: Any, _connection: Any) -> float:
        return self.wanted.rank(line)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(Func):
    """A point in time as whole microseconds since 1970: of thousands of rows read in a tenth of the time of dates."""

    output_field = models.BigIntegerField()
    convert_value = staticmethod(Func._convert_value_noop)

    def as_postgresql(self, compiler, connection, **context: Any) -> tuple[str, list]:
        """Of exact decimals."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"(extract(epoch FROM {sql}) * 1000000)::bigint", list(params)

    def as_sqlite(self, compiler, connection, **context: Any) -> tuple[str, list]:
        """Of "2026-01-31 12:30:00", with a fraction behind it or without."""
        sql, params = compiler.compile(self.source_expressions[0])
        fraction = f"CAST(substr({sql} || '000000', 21, 6) AS INTEGER)"
        return f"CAST(strftime('%%s', {sql}) AS INTEGER) * 1000000 + {fraction}", [*params, *params]

    @staticmethod
    def of(moment: datetime) -> int:
        """The same of `moment`."""
        return (moment - _EPOCH) // timedelta(microseconds=1)

    @staticmethod
    def read(number: int) -> datetime:
        """The moment that it was."""
        return _EPOCH + timedelta(microseconds=number)
