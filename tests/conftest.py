"""What all tests share. The environment: tests/environment.py; people: tests/people.py; their keys: tests/api.py."""

import pytest

pytest_plugins = ["tests.people", "tests.api", "tests.emptying"]


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
