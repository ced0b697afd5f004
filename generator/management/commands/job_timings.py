"""Shows where the time of a job went."""

import json
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from generator.models import Job


class Command(BaseCommand):
    """`manage.py job_timings <id>`: seconds as one JSON object; `report` is part of `denoise`."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """The job's id."""
        parser.add_argument("job", type=UUID)

    def handle(self, *args, job: UUID, **options) -> None:
        """Prints what the worker wrote down; CommandError for a job that is unknown or not done."""
        timings = Job.objects.filter(pk=job).values_list("timings", flat=True).first()
        if not timings:
            raise CommandError(f"There is no finished job {job}")
        self.stdout.write(json.dumps(timings))
