"""Makes anew what pictures are found and sorted by: words, colours, numbers of likes, stars.

Needed once after the update that brought the search, for the colours of older pictures; harmless at any time.
"""

from django.core.management.base import BaseCommand

from gallery import services


class Command(BaseCommand):
    """`manage.py index_gallery`."""

    help = __doc__

    def handle(self, *args, **options) -> None:
        """A batch at a time; the studio goes on meanwhile."""
        done = 0
        for done in services.index_all():
            if self.stdout.isatty():
                self.stdout.write(f"\r{done} pictures", ending="")
        self.stdout.write(f"\r{done} pictures")
