"""Compares the storage of pictures with the rows that name its files."""

import json

from django.core.management.base import BaseCommand, CommandError

from gallery.services import StorageInDoubt
from generator import upkeep


class Command(BaseCommand):
    """`manage.py find_orphans [--remove] [--older-than SECONDS]`: prints what was found, one JSON object a line."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """Whether to act, and on what."""
        parser.add_argument("--remove", action="store_true", help="delete such files; trash pictures without a file")
        parser.add_argument("--older-than", type=float, metavar="SECONDS", help="leave out what is younger")

    def handle(self, *args, remove: bool, older_than: float | None, **options) -> None:
        """CommandError when so much is missing that the storage itself is in doubt."""
        try:
            found = upkeep.find_orphans(remove=remove, older_than=older_than)
        except StorageInDoubt as doubt:
            raise CommandError(str(doubt)) from doubt
        for name in found.files:
            self._say(file=name, problem="no row")
        for media in found.media:
            self._say(file=media.file.name, problem="no file", media=str(media.pk), job=str(media.job or ""))
        for rendition in found.renditions:
            self._say(file=rendition.file.name, problem="no file", media=str(rendition.media_id), kind=rendition.kind)
        facts = {"files": len(found.files), "media": len(found.media), "renditions": len(found.renditions)}
        self._say(**facts, pictures=found.looked_at, removed=remove)

    def _say(self, **facts: object) -> None:
        self.stdout.write(json.dumps(facts))
