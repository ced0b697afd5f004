"""Questions that are put into SQL once. For a small one Django needs ten times as long to write it as the database to
answer it, and programs ask the API small ones all day.

What is asked stays a queryset, and who may see what stays the models' to say: only the values are new each time.
"""

from collections.abc import Callable
from datetime import date
from itertools import count
from threading import local
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import Model, QuerySet, UUIDField

Row = TypeVar("Row")


class Prepared(Generic[Row]):
    """`Prepared(build, pk=UUID, user=User)`, then `rows(pk=…, user=…)`: as `list(build(pk=…, user=…))`.

    `build` is called once a thread, with stand-ins: it must not look at a value, and each must come out as one or more
    parameters of the statement. Nor at the clock, which would stand still. Kinds: UUID, int, str, date, or a model,
    whose rows are known by their key. What is to be prefetched is not.
    """

    def __init__(self, build: Callable[..., QuerySet], **kinds: type) -> None:
        """Asks nothing yet."""
        self._build, self._kinds = build, kinds
        self._mine = local()  # a statement belongs to its connection, and a connection to its thread

    def rows(self, **given: Any) -> list[Row]:
        """What the database says at this moment."""
        statement = getattr(self._mine, "statement", None)
        if statement is None or statement.is_of_another_connection:
            statement = self._mine.statement = _Statement(self._build, self._kinds)
        return statement.rows(given)

    def first(self, **given: Any) -> Row | None:
        """The first of them."""
        return next(iter(self.rows(**given)), None)


class _Statement:
    """The SQL of a queryset, and where in its parameters the values belong."""

    def __init__(self, build: Callable[..., QuerySet], kinds: dict[str, type]) -> None:
        marks = {name: _mark(kind, number) for (name, kind), number in zip(kinds.items(), count(1), strict=False)}
        self.queryset = build(**marks)
        self.connection = connections[self.queryset.db]
        compiler = self.queryset.query.get_compiler(using=self.queryset.db)
        self.sql, parameters = compiler.as_sql()
        names = {self._told(mark): name for name, mark in marks.items()}
        self.parameters = [(names.get(_key(one)), one) for one in parameters]
        if left := {*marks} - {name for name, _one in self.parameters}:
            raise ValueError(f"no parameter of the statement is {', '.join(sorted(left))}: {self.sql}")
        compiler.as_sql = self._filled
        converters = compiler.get_converters([one for one, _sql, _name in compiler.select])
        compiler.get_converters = lambda _expressions: converters
        self.queryset.query.get_compiler = lambda *_args, **_options: compiler
        self.given: dict[str, Any] = {}

    @property
    def is_of_another_connection(self) -> bool:
        return self.connection is not connections[self.queryset.db]

    def rows(self, given: dict[str, Any]) -> list[Any]:
        self.given = {name: self._adapted(value) for name, value in given.items()}
        return list(self.queryset._iterable_class(self.queryset))

    def _filled(self, *_args: Any, **_options: Any) -> tuple[str, tuple[Any, ...]]:
        return self.sql, tuple(self.given[name] if name else one for name, one in self.parameters)

    def _adapted(self, value: Any) -> Any:
        """A value as this database wants to have it."""
        value = value.pk if isinstance(value, Model) else value
        if isinstance(value, UUID):
            return _UUIDS.get_db_prep_value(value, self.connection)
        return self.connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value

    def _told(self, mark: Any) -> Any:
        return _key(self._adapted(mark))


_UUIDS = UUIDField()


def _mark(kind: type, number: int) -> Any:
    """A value of this kind that nobody means."""
    if issubclass(kind, Model):
        return kind(pk=_mark(UUID if isinstance(kind._meta.pk, UUIDField) else int, number))
    if kind is UUID:
        return UUID(int=2**127 + number)
    if kind is date:
        return date(9900 + number, 1, 1)
    return -(2**40) - number if kind is int else f"\x01{number}\x01"


def _key(value: Any) -> Any:
    """To look a parameter up by: some cannot be hashed, and True is 1."""
    return (type(value), value) if isinstance(value, int | str | UUID | date) else None
