"""Plain SQL for what every claim says: building it takes the ORM more time than doing it takes the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models


def greatest() -> str:
    """What the database calls the greatest of several values."""
    return "MAX" if connection.vendor == "sqlite" else "GREATEST"


def say(statements: Sequence[str], values: Mapping[str, Any]) -> int:
    """Says statements one after the other, in one trip where it can; how many rows the first one touched."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(";".join(statements), values)
            return cursor.rowcount
        first, *others = statements
        cursor.execute(first, values)
        touched = cursor.rowcount
        for statement in others:
            cursor.execute(statement, values)
        return touched


def update(model: type[models.Model], where: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Writes plain values to the row whose fields have these values; whether there was one."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    written = [fields[name].get_db_prep_save(value, connection) for name, value in changes.items()]
    known = [fields[name].get_db_prep_value(value, connection) for name, value in where.items()]
    sets = ", ".join(f"{fields[name].column} = %s" for name in changes)
    same = " AND ".join(f"{fields[name].column} = %s" for name in where)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {sets} WHERE {same}", [*written, *known])  # noqa: S608
        return cursor.rowcount > 0
