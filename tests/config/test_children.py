import os
import sys

import pytest

from config.children import Child


@pytest.fixture
def child():
    """A child that gives way, and does nothing until it is told to end."""
    child = Child("sleeper", [sys.executable, "-c", "input()"])
    child.nice = 10
    child.start()
    yield child
    child.stop()


def test_a_child_gives_way(child):
    assert os.getpriority(os.PRIO_PROCESS, child.process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10


def test_so_does_its_session(monkeypatch, tmp_path):
    # Else a session gets as much as each other one, however nice its processes are. Not every system has this file.
    autogroup = tmp_path / "autogroup"
    monkeypatch.setattr("config.children.AUTOGROUP", autogroup)
    child = Child("sleeper", [sys.executable, "-c", "input()"])
    child.nice = 10
    child.start()
    child.stop()
    assert autogroup.read_text() == "10"
