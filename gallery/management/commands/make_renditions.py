"""Makes the smaller versions that pictures lack."""

from time import monotonic

from django.core.management.base import BaseCommand

from gallery import services


class Command(BaseCommand):
    """`manage.py make_renditions [--again] [--seconds N]`: prints how many pictures were dealt with."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """How long, and whether what failed is tried again."""
        parser.add_argument("--again", action="store_true", help="try those that failed, too")
        parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after about so long")

    def handle(self, *args, again: bool, seconds: float, **options) -> None:
        """Newest pictures first; may be stopped at any moment."""
        dealt, until = 0, monotonic() + seconds
        while number := services.derive_missing(seconds=until - monotonic(), again=again):
            dealt, again = dealt + number, False
        self.stdout.write(f"{dealt} pictures")
