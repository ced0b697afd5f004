"""A database that is made for a simulation and removed after it: nothing of the installation's own is touched."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import override_settings, setup_databases, teardown_databases

NO_CACHE = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}


@contextmanager
def database() -> Iterator[str]:
    """An empty database with the schema: in memory where the installation uses SQLite, else `test_...` on its server.

    Its vendor.
    """
    logging.disable(logging.INFO)  # a line for each arrow of each job
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = None  # in memory
    made = setup_databases(verbosity=0, interactive=False)
    try:
        with override_settings(CACHES=NO_CACHE):
            yield connection.vendor
    finally:
        if connection.vendor == "postgresql":
            connection.close_pool()
        teardown_databases(made, verbosity=0)
        logging.disable(logging.NOTSET)
