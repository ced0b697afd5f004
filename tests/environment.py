"""A home and a broker of the tests' own. Loaded before Django reads its settings (`-p tests.environment`).

By default SQLite and the embedded broker; TEST_POSTGRES_URL and TEST_REDIS_URL name servers to use instead.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

# Before torch is first imported: its threads spin while they wait, and crawl beside a browser or a server.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
_HOME = Path(tempfile.mkdtemp(prefix="atelier-test-"))
os.environ["ATELIER_HOME"] = str(_HOME)
(_HOME / "static").mkdir()
for given, read in (("TEST_POSTGRES_URL", "DATABASE_URL"), ("TEST_REDIS_URL", "REDIS_URL")):
    os.environ.pop(read, None)
    if url := os.environ.get(given):
        os.environ[read] = url

from config import broker  # noqa: E402
from config.runtime import runtime_dir  # noqa: E402

_broker: subprocess.Popen[bytes] | None = None
if "REDIS_URL" not in os.environ:
    _broker = subprocess.Popen(broker.command(runtime_dir(), durable=False))
    broker.wait_until_ready(runtime_dir(), _broker)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be left out (.ci/run), a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TEST_SKIPS") == "forbidden" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """The broker and the home go with the run."""
    close()


def close() -> None:
    """Ends the broker and removes the home."""
    if _broker:
        _broker.terminate()
        _broker.wait(10)
        shutil.rmtree(runtime_dir(), ignore_errors=True)
    shutil.rmtree(_HOME, ignore_errors=True)
