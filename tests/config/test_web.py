"""config.web: how many processes answer, and that the port is theirs together."""

import os
import sys

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


def test_a_port_that_somebody_has_is_said():
    port = free_port()
    with web.bind("127.0.0.1", port) as taken:
        taken.listen()
        with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 cannot be used"):
            web.bind("127.0.0.1", port)


def test_all_processes_get_the_same_port_and_the_same_figures(monkeypatch):
    monkeypatch.setenv("WEB_PROCESSES", "3")
    with web.bind("127.0.0.1", free_port()) as bound:
        children = web.children(bound)
        assert {child.files for child in children} == {(bound.fileno(),)}
    assert len(children) == 3
    assert len({child.env["PROMETHEUS_MULTIPROC_DIR"] for child in children}) == 1
