"""What the tests of the worker share: the starter assembled once, events caught, the next job run here."""

import pytest

from generator import events


@pytest.fixture(autouse=True, scope="session")
def _models_root(tmp_path_factory, django_db_setup):
    """The starter is assembled once for all tests of this module."""
    from django.conf import settings

    settings.MODELS_ROOT = tmp_path_factory.mktemp("models")


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """Every event that would have gone out to those who watch a job."""
    sent: list[dict] = []

    def publish(groups: list[str], event: dict) -> None:
        if not event["type"].startswith("queue."):
            sent.append(event)

    monkeypatch.setattr(events, "publish", publish)
    return sent
