"""What all tests share: a home of their own, a real broker, and the people of one studio.

By default SQLite and the embedded broker; TEST_POSTGRES_URL and TEST_REDIS_URL name servers to use instead.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Before Django reads its settings: tests never touch the data of the checkout they run in.
_HOME = Path(tempfile.mkdtemp(prefix="atelier-test-"))
os.environ["ATELIER_HOME"] = str(_HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
for name in ("REDIS_URL", "DATABASE_URL"):
    os.environ.pop(name, None)
if url := os.environ.get("TEST_POSTGRES_URL"):
    os.environ["DATABASE_URL"] = url

from config import broker  # noqa: E402
from config.runtime import runtime_dir  # noqa: E402

_broker: subprocess.Popen[bytes] | None = None
if url := os.environ.get("TEST_REDIS_URL"):
    os.environ["REDIS_URL"] = url
else:
    _broker = subprocess.Popen(broker.command(runtime_dir(), durable=False))
    broker.wait_until_ready(runtime_dir(), _broker)

import pytest  # noqa: E402

pytest_plugins = ["tests.people"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The broker and the home go with the run."""
    if _broker:
        _broker.terminate()
        _broker.wait(10)
        shutil.rmtree(runtime_dir(), ignore_errors=True)
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _quick_and_plain(settings, tmp_path_factory) -> None:
    """Static files need no collecting, passwords no slow hashing; media goes to a folder of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits and live states of one test do not reach the next."""
    from django.core.cache import cache

    cache.clear()
