"""What all tests share. The environment is tests/environment.py's, the people are tests/people.py's."""

import pytest

pytest_plugins = ["tests.people"]


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
