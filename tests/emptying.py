"""A quick database: after a test that commits it is emptied row by row.

Django truncates every table, of which there are seventy with a handful of rows in two or three, and then works out
all permissions again: a second for each test on SQLite and four on PostgreSQL, where these tests take milliseconds.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # what migrating has put there


def _empty(self: TransactionTestCase) -> None:
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    # Foreign keys are looked at when the transaction ends, so any order will do.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings) -> None:
    """The transaction of a test stays open while it works, however slow the machine is, and is not cut off for it."""
    if connection.vendor == "postgresql":
        connection.settings_dict["OPTIONS"].pop("options", None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """As pytest-django makes it; on PostgreSQL no commit waits for the disk."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            connection.close_pool()


@pytest.fixture(scope="session", autouse=True)
def _empties_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty)
        yield
