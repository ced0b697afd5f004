"""Brings the data of an installation up to date before it is served: what every start needs, and nothing twice."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from generator.catalogue import install_builtin


class Command(BaseCommand):
    """`manage.py prepare`: migrations, what ships with Atelier, a first administrator (data), and static files."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """An image collects static files when it is built, and asks for the data alone when it is started."""
        parser.add_argument("--only", choices=["data", "static"])

    def handle(self, *args, **options) -> None:
        """Runs each part; any that fails stops the start."""
        if options["only"] != "static":
            call_command("migrate", interactive=False, verbosity=0)
            install_builtin()
        if options["only"] != "data":
            self._collect_static()
        if options["only"] != "static":
            call_command("ensure_admin", stdout=self.stdout)

    def _collect_static(self) -> None:
        # Hashing and compressing all files takes seconds, so only when any of them has changed.
        mark = settings.ATELIER_HOME / "static.fingerprint"
        fingerprint = _fingerprint_of_static_files()
        if mark.is_file() and mark.read_text() == fingerprint and Path(settings.STATIC_ROOT).is_dir():
            return
        # htmx's extensions, which we do not use, import by names that only a bundler could resolve.
        unused = ["django_htmx/ext/*"]
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=unused)
        mark.write_text(fingerprint)


def _fingerprint_of_static_files() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
