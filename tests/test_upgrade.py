"""An installation of an earlier release, with data, becomes one of this release: nothing is lost, and it works."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import given_servers
from tests.installation import ROOT
from tests.upgrade import RELEASES

WORKS = """
from accounts.models import User
from accounts.services import create_person
from gallery.models import Media
from generator import queue, services
from generator.models import Checkpoint, Job
old = User.objects.get(email="person0@example.com")
assert Media.objects.filter(owner=old).count() == 1
person = create_person(email="new@example.com", name="New", password="a rather long password")
asked = {"prompt": "a red apple", "count": 1, "steps": 4, "seed": 7}
new = services.create_generation(
    user=person, team=person.personal_team, checkpoint=Checkpoint.objects.get(slug="starter"), **asked
)
waiting = set(Job.objects.filter(state="queued").values_list("pk", flat=True))
assert new.pk in waiting and len(waiting) >= 2, waiting
claimed = {job.pk for job in iter(lambda: queue.claim(worker="one"), None)}
assert claimed == waiting, (claimed, waiting)
"""


@pytest.fixture
def run(tmp_path) -> Iterator[Callable[..., str]]:
    """`run("prepare")`: a management command in an installation of its own; `run("-m", ...)`: a module."""
    with given_servers() as given:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL",)}
        environment = {**kept, "ATELIER_HOME": str(tmp_path / "home"), **given}

        def run(*words: str) -> str:
            command = [sys.executable, *([] if words[0] == "-m" else ["manage.py"]), *words]
            options = {"cwd": ROOT, "env": environment, "text": True, "check": False}
            done = subprocess.run(command, capture_output=True, **options)
            assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
            return done.stdout

        yield run


@pytest.mark.parametrize("release", RELEASES)
def test_a_filled_database_of_an_earlier_release(release, run, tmp_path):
    file = Path(tmp_path / "rows.json")
    for app, migration in RELEASES[release].items():
        run("migrate", app, migration, "--verbosity", "0")
    run("-m", "tests.upgrade", "fill", release, str(file))
    run("prepare", "--only", "data")
    assert run("-m", "tests.upgrade", "compare", release, str(file)) == ""
    run("shell", "-c", WORKS)


def test_preparing_twice_changes_nothing(run, tmp_path):
    """The second start finds its migrations, its models and its administrator, and prints no second password."""
    assert "One-time password" in run("prepare")
    static = tmp_path / "home/static/staticfiles.json"
    before = static.stat().st_mtime_ns
    data = run("dumpdata", "accounts", "generator", "gallery")
    assert run("prepare") == ""
    assert run("dumpdata", "accounts", "generator", "gallery") == data
    assert static.stat().st_mtime_ns == before


def test_no_migration_is_missing(run):
    run("makemigrations", "--check", "--dry-run")
