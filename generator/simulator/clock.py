"""Virtual time: Django's clock, turned by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)


class Clock:
    """Seconds since the beginning of a simulated world."""

    def __init__(self) -> None:
        """At its beginning."""
        self.seconds = 0.0

    def now(self) -> datetime:
        """What `timezone.now()` answers while the clock is in place."""
        return BEGINNING + timedelta(seconds=self.seconds)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Everybody who asks Django for the time gets this clock's. For processes that do nothing else."""
        with patch("django.utils.timezone.now", self.now):
            yield
