"""How the database means to read the pictures for what a block asks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# The whole table, read from end to end.
WHOLE = re.compile(r"Seq Scan on gallery_media\b|SCAN (?:TABLE )?gallery_media(?! USING)\b")


@contextmanager
def plans() -> Iterator[list[str]]:
    """The plan of each SELECT of pictures within, made at the same moment and under the same settings."""
    found: list[str] = []
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"

    def note(execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.lstrip("( ").startswith(("SELECT", "WITH")) and "gallery_media" in sql:
            execute(f"{explain} {sql}", params, many, context)
            rows = context["cursor"].fetchall()
            found.append(f"{sql}\n" + "\n".join(" ".join(map(str, row)) for row in rows))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def whole_reads(found: list[str]) -> list[str]:
    """Those that read all pictures. (SQLite also names a subquery that stands for them, which it scans, so.)"""
    return [plan for plan in found if len(WHOLE.findall(plan)) > plan.count("CO-ROUTINE gallery_media")]
