"""config.web: how many processes answer, and that the port is theirs together."""

import contextlib
import itertools
import os
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from config import web
from config.children import CannotStart
from tests.installation import free_port


@pytest.mark.parametrize(("cores", "given", "expected"), [(1, "", 1), (2, "", 2), (8, "", 4), (64, "", 4), (1, "3", 3)])
def test_how_many_processes_there_are(cores, given, expected, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=sys.platform == "linux")
    monkeypatch.setenv("WEB_PROCESSES", given)
    assert web.count() == expected


@pytest.fixture
def bind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[socket.socket]]]:
    """web.bind at a port, for three processes."""
    monkeypatch.setenv("WEB_PROCESSES", "3")
    found: list[socket.socket] = []

    def bind(port: int) -> list[socket.socket]:
        found.extend(sockets := web.bind("127.0.0.1", port))
        return sockets

    yield bind
    web.close(found)


def test_a_port_that_somebody_has_is_said(bind):
    port = free_port()
    for taken in bind(port):
        taken.listen()
    with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 cannot be used"):
        bind(port)


def test_all_processes_get_the_same_port_and_the_same_figures(bind):
    sockets = bind(free_port())
    children = web.children(sockets)
    assert [child.files for child in children] == [(one.fileno(),) for one in sockets]
    assert len({one.getsockname() for one in sockets}) == 1
    assert len(children) == 3
    assert len({child.env["PROMETHEUS_MULTIPROC_DIR"] for child in children}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all processes share one socket")
def test_connections_are_spread_over_the_processes(bind):
    port = free_port()
    sockets = bind(port)
    for one in sockets:
        one.listen(200)
        one.setblocking(False)
    with contextlib.ExitStack() as stack:
        for _connection in range(120):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        got = [_accepted(one, stack) for one in sockets]
    assert sum(got) == 120
    assert min(got) > 15, got  # 40 each, give or take five


def _accepted(listening: socket.socket, stack: contextlib.ExitStack) -> int:
    for number in itertools.count():
        try:
            stack.enter_context(listening.accept()[0])
        except BlockingIOError:
            return number
    raise AssertionError
