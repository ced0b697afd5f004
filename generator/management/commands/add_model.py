"""`manage.py add_model PLACE --name N`: asks for a model; a worker fetches, checks and enters it."""

from argparse import ArgumentParser
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from generator import services
from generator.models import Adapter, CommercialUse, Intake, State


class Command(BaseCommand):
    """Hub ids look like maker/model; anything else, or --path, is below MODELS_IMPORT_ROOT."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """PLACE and what is said of it."""
        parser.add_argument("place", help="a hub id, or with --path a folder or file below MODELS_IMPORT_ROOT")
        parser.add_argument("--path", action="store_true", help="PLACE is a path on this server")
        parser.add_argument("--name", help="what people see; without it, the last part of PLACE")
        parser.add_argument("--kind", choices=Intake.Kind.values, default=Intake.Kind.MODEL)
        parser.add_argument("--revision", default="")
        parser.add_argument("--family", default="")
        parser.add_argument("--word", default="")
        parser.add_argument("--structure", choices=Adapter.Structure.values, default="", help="of a ControlNet")
        parser.add_argument("--licence", default="", dest="licence_name")
        parser.add_argument("--licence-url", default="")
        parser.add_argument("--commercial-use", choices=CommercialUse.values, default=CommercialUse.NO)
        parser.add_argument("--user", help="e-mail of the administrator who asks; without it, the first one")
        parser.add_argument("--wait", action="store_true", help="until it is in, or has failed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Puts the job in line; prints its id, or with --wait how it ended."""
        people = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
        user = people.filter(email=options["user"]).first() if options["user"] else people.first()
        if user is None:
            raise CommandError("There is no such administrator.")
        if options["kind"] == Intake.Kind.CONTROLNET and not options["structure"]:
            raise CommandError("Say with --structure what of a picture it follows.")
        said = ("kind", "revision", "family", "word", "structure", "licence_name", "licence_url", "commercial_use")
        place = options["place"]
        intake = services.begin_intake(
            user=user,
            origin=Intake.Origin.PATH if options["path"] else Intake.Origin.HUB,
            place=place,
            name=options["name"] or place.rstrip("/").rsplit("/", 1)[-1].removesuffix(".safetensors"),
            **{name: options[name] for name in said},
        )
        self.stdout.write(str(intake.pk))
        if options["wait"]:
            self._wait(intake)

    def _wait(self, intake: Intake) -> None:
        assert intake.job is not None
        while not intake.job.is_finished:
            sleep(0.5)
            intake.job.refresh_from_db()
        if intake.job.state != State.DONE:
            raise CommandError(intake.job.reason or intake.job.get_state_display())
        intake.refresh_from_db()
        asset = intake.checkpoint or intake.adapter
        self.stdout.write(f"{asset.slug} {asset.weights_hash}" if asset else "done")
