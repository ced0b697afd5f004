"""Makes anew what pictures are found by when people search by meaning, without those that are gone for good.

Run where the workers of the light queue run, with the packages of a worker. Until it is done the old vectors serve;
what comes in meanwhile is taken in some minutes later.
"""

from django.core.management.base import BaseCommand

from gallery import services


class Command(BaseCommand):
    """`manage.py index_meaning`."""

    help = __doc__

    def handle(self, *args, **options) -> None:
        """A batch at a time; the studio goes on meanwhile."""
        done = 0
        for done in services.understand_all():
            if self.stdout.isatty():
                self.stdout.write(f"\r{done} pictures", ending="")
        self.stdout.write(f"\r{done} pictures")
