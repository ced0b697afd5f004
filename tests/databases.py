"""What an installation on given servers gets of its own: a database in PostgreSQL, a number in Redis."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import redis

REDIS_NUMBERS = 16  # as many as a Redis has unless it is told otherwise


@contextlib.contextmanager
def own_database(server: str) -> Iterator[str]:
    """The address of an empty database in the PostgreSQL of that address; dropped afterwards."""
    name = f"atelier_{uuid.uuid4().hex[:12]}"
    administer(server, f'CREATE DATABASE "{name}"')
    forget_quickly(server, name)
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def forget_quickly(server: str, name: str) -> None:
    """A commit there waits for no disk: what a test wrote need not outlive the machine."""
    administer(server, f'ALTER DATABASE "{name}" SET synchronous_commit = off')


def administer(server: str, statement: str) -> None:
    """Runs one statement outside of any transaction."""
    with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


@contextlib.contextmanager
def own_redis(server: str) -> Iterator[str]:
    """The address of an empty number in the Redis of that address: the next one that nobody else here uses."""
    parts = urlsplit(server)
    given = int(parts.path.strip("/") or 0)
    with contextlib.ExitStack() as stack:
        for step in range(1, REDIS_NUMBERS):
            url = parts._replace(path=f"/{(given + step) % REDIS_NUMBERS}").geturl()
            client = stack.enter_context(redis.Redis.from_url(url))
            # Taken by whoever writes the first key.
            if client.dbsize() == 0 and client.set("tests", os.getpid(), nx=True):
                stack.callback(client.flushdb)
                yield url
                return
        raise RuntimeError(f"every number of the Redis at {parts.hostname} is in use")


@contextlib.contextmanager
def given_servers() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL within the servers of TEST_POSTGRES_URL and TEST_REDIS_URL; nothing where none is."""
    with contextlib.ExitStack() as stack:
        found: dict[str, str] = {}
        if server := os.environ.get("TEST_POSTGRES_URL"):
            found["DATABASE_URL"] = stack.enter_context(own_database(server))
        if server := os.environ.get("TEST_REDIS_URL"):
            found["REDIS_URL"] = stack.enter_context(own_redis(server))
        yield found
