"""Fills two demo teams: people of every role, pictures really drawn by the default model, jobs in every state.

Called again it adds what is missing and says so; the same numbers make the same demo.
"""

from time import monotonic

from django.core.management.base import BaseCommand, CommandError

from accounts.services import Refused as NoQuota
from generator.catalogue import install_builtin
from generator.demo import lessons, metadata, people, pictures, states, wishes
from generator.models import Checkpoint, StylePreset
from generator.services import Refused


class Command(BaseCommand):
    """`manage.py seed_demo [--pictures N] [--steps N] [--seed N] [--media N] [--password P]`."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """How much of what."""
        parser.add_argument("--pictures", type=int, default=200, help="pictures to draw (default 200)")
        parser.add_argument("--steps", type=int, default=10, help="steps each (default 10)")
        parser.add_argument("--seed", type=int, default=1, help="for the same demo each time")
        parser.add_argument("--media", type=int, default=0, help="rows of metadata without files, beside the pictures")
        parser.add_argument("--password", help="for everybody in the demo; without it nobody of them can sign in")

    def handle(self, *args, media: int, password: str | None, seed: int, **options) -> None:
        """Each part looks for itself what is there already."""
        install_builtin()
        checkpoint = Checkpoint.objects.enabled().filter(is_default=True).first()
        if checkpoint is None:
            raise CommandError("No model is chosen at first: choose one in the admin (Models), then try again.")
        cast, new = people.gather(password)
        self._say(new, "people", f"in {cast.team} and {cast.other}")
        try:
            self._draw(cast, checkpoint, seed, options["pictures"], options["steps"])
            pictures.live_with(cast, seed)
            self._say(states.show_all(cast, checkpoint), "jobs", "that wait, were stopped or failed")
            self._say(lessons.show(cast, checkpoint, options["steps"]), "trainings", "of a subject and a style")
            if media:
                self._say(metadata.fill(cast.team, media, self._progress("rows")), "rows", "of metadata")
        except (Refused, NoQuota, RuntimeError) as error:
            raise CommandError(str(error)) from error

    def _draw(self, cast: people.Cast, checkpoint: Checkpoint, seed: int, number: int, steps: int) -> None:
        styles = StylePreset.objects.filter(team=None).suiting(checkpoint.family)
        wanted = list(wishes.wishes(cast, number, seed, styles))
        started = monotonic()
        drawn = pictures.draw(wanted, checkpoint, steps, self._progress("pictures"))
        self._say(drawn, "pictures", f"drawn in {monotonic() - started:.0f} s")

    def _say(self, number: int, things: str, what: str) -> None:
        self.stdout.write(f"{number} {things} {what}" if number else f"The {things} were there already.")

    def _progress(self, things: str):
        if not self.stdout.isatty():
            return lambda number: None
        return lambda number: self.stdout.write(f"\r{number} {things}", ending="")
