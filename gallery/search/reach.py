"""The first pictures, in some order, that match some conditions: bounded work, however the two are related.

Which of two ways is short, no planner can know. To *walk* along the order's index and skip what does not match is short
where much matches, and reads everything where what matches lies at the far end; to *gather* all that matches by the
indexes of the conditions and sort it is short where little matches. A planner takes order and conditions to be
independent and is wrong by a factor of a thousand when they are not. So the first WINDOW pictures are walked, come what
may; only if too few of those match is all that matches gathered, which is then, but for the oddest cases, little.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.sql.datastructures import BaseTable

from gallery.models import Media

# To compile a query or to begin a process for it takes longer than any of these.
WHOLLY = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "'32MB'",  # bitmaps of every tenth of a million pictures
}
GATHERING = WHOLLY | {"enable_seqscan": "off", "enable_indexscan": "off", "enable_indexonlyscan": "off"}
WINDOW = 3000  # pictures: with 40 on a page, enough where one in 75 matches


class Window(BaseTable):
    """The pictures' table, replaced by the first few of an ordered queryset."""

    def __init__(self, pictures: QuerySet[Media]) -> None:
        super().__init__(Media._meta.db_table, Media._meta.db_table)
        self.pictures = pictures

    def as_sql(self, compiler, connection) -> tuple[str, list]:
        """A subquery that a database reads no further than it must: its LIMIT keeps conditions out of it."""
        sql, params = self.pictures.query.get_compiler(connection=connection).as_sql()
        return f"({sql}) {compiler.quote_name_unless_alias(self.table_alias)}", list(params)


def within(pictures: QuerySet[Media], number: int = WINDOW) -> QuerySet[Media]:
    """The first `number` of `pictures`, which are in an order, as if they were the whole table; in the same order."""
    found = Media.objects.order_by(*pictures.query.order_by)
    found.query.get_initial_alias()
    found.query.alias_map[Media._meta.db_table] = Window(pictures[:number])
    return found


@contextmanager
def gathering(settings: dict[str, str] = GATHERING) -> Iterator[None]:
    """Reads of whole results: in PostgreSQL by bitmaps of indexes, neither along an order nor through the table; with
    WHOLLY by whichever way is short, which a planner knows where the stretch to read is given."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in settings.items()))
        yield
        cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in settings))  # where a transaction is around


def last_of(pictures: QuerySet[Media], columns: tuple[str, ...], number: int = WINDOW) -> tuple | None:
    """The place of the last of the first `number` of `pictures`, told by the index alone; None when there are fewer."""
    return pictures.values_list(*columns)[number - 1 : number].first()
