"""A database as an earlier release left it, filled: `python -m tests.upgrade fill|compare RELEASE FILE`.

`fill` puts rows into every table of that release and writes down what stands in them; `compare` says what of that is
no longer so. Both work on DATABASE_URL's database. A release is one line in RELEASES.
"""

import json
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import django
from django.apps import apps as current
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

ROWS = 3  # in each table
# The last migration of each app in a release.
RELEASES = {
    "0.1": {"accounts": "0001_initial", "gallery": "0001_initial", "generator": "0001_initial"},
}
# What a later release has taken away on purpose, or counts anew.
GONE = {"generator.job.priority", "generator.worker.checkpoint"}
COUNTED_ANEW = {"generator.queueaccount.virtual_time"}


def fill(release: str, file: Path) -> None:
    """Three rows in every table, each column with a value of its own where it may have one."""
    state = MigrationLoader(connection).project_state(list(RELEASES[release].items()))
    tables = [model for model in state.apps.get_models() if model._meta.app_label in RELEASES[release]]
    made: dict[str, list[Any]] = {}
    for model in _in_order(tables):
        made[model._meta.label_lower] = [_make(model, number, made) for number in range(ROWS)]
    rows = {label: [_columns(row.__class__.objects.get(pk=row.pk)) for row in found] for label, found in made.items()}
    file.write_text(json.dumps(rows))


def _in_order(tables: list[type[models.Model]]) -> Iterator[type[models.Model]]:
    left = {model._meta.label_lower: model for model in tables}
    while left:
        ready = [label for label, model in left.items() if not set(_needs(model)) & set(left)]
        assert ready, f"{', '.join(left)} need each other"
        for label in ready:
            yield left.pop(label)


def _needs(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if field.remote_field and not field.null:
            yield field.remote_field.model._meta.label_lower


def _make(model: type[models.Model], number: int, made: dict[str, list[Any]]) -> Any:
    values = {}
    for field in model._meta.concrete_fields:
        if field.remote_field:
            if targets := made.get(field.remote_field.model._meta.label_lower):
                values[field.name] = targets[number]
        elif not isinstance(field, models.AutoField):
            values[field.name] = _value(field, number)
    return model.objects.create(**values)


def _value(field: models.Field, number: int) -> Any:
    if field.choices:
        return field.choices[number % len(field.choices)][0]
    moment = datetime(2026, 11, 1 + number, 12, tzinfo=UTC)
    match field:
        case models.BooleanField():
            return field.get_default()
        case models.UUIDField():
            return uuid.uuid5(uuid.NAMESPACE_URL, f"{field}{number}")
        case models.DateTimeField():
            return moment
        case models.DateField():
            return date(2026, 11, 1 + number)
        case models.JSONField():
            return field.get_default()
        case models.FloatField():
            return number + 0.5
        case models.IntegerField():
            return number + 1
        case models.EmailField():
            return f"person{number}@example.com"
    return f"{field.name}-{number}"[: field.max_length]


def _columns(row: models.Model) -> dict[str, str]:
    return {field.attname: str(getattr(row, field.attname)) for field in row._meta.concrete_fields}


def compare(release: str, file: Path) -> None:
    """Prints what was lost or changed, one line each: nothing when all is well."""
    for label, rows in json.loads(file.read_text()).items():
        model = current.get_model(label)
        names = {field.attname for field in model._meta.concrete_fields}
        key = model._meta.pk.attname
        for row in rows:
            found = model._base_manager.filter(pk=row[key]).first()
            if found is None:
                print(f"{label} {row[key]} is gone")  # noqa: T201
                continue
            now = _columns(found)
            for name, value in row.items():
                column = f"{label}.{name}"
                if column in GONE or column in COUNTED_ANEW:
                    continue
                if name not in names:
                    print(f"{column} is gone")  # noqa: T201
                elif now[name] != value:
                    print(f"{column} of {row[key]} was {value} and is {now[name]}")  # noqa: T201


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    {"fill": fill, "compare": compare}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
