"""Plans capacity: plays invented days through the real queue and prints what people would wait."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from generator.simulator.chart import draw
from generator.simulator.report import report
from generator.simulator.scenario import Scenario
from generator.simulator.scratch import database
from generator.simulator.world import World


class Command(BaseCommand):
    """`manage.py simulate_queue --workers 4,8,16 --people 40`: one JSON object a line for each number of workers."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may differ."""
        parser.add_argument("--workers", default="8", help="how many; several by commas")
        parser.add_argument("--people", type=int, help="who ask; without it five for each worker")
        parser.add_argument("--jobs", type=int, default=1000, help="until so many were asked for; at least 3 a worker")
        parser.add_argument("--load", type=float, default=0.7, help="work asked for, as a part of what workers can do")
        parser.add_argument("--demand", type=float, help="instead of --load: seconds of work asked for in a second")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--told", action="store_true", help="judge also what people are told of their wait (slower)"
        )
        parser.add_argument(
            "--futures", type=int, default=0, help="with --told: find what could be known, in so many futures each"
        )
        parser.add_argument("--chart", type=Path, help="draw the waits into this SVG file")

    def handle(self, **options: Any) -> None:
        """Prints one line a run, and draws them together."""
        rows = []
        with database():
            for workers in (int(word) for word in options["workers"].split(",")):
                people = options["people"] or 5 * workers
                scenario = replace(
                    Scenario(),
                    workers=workers,
                    people=people,
                    teams=max(1, people // 5),
                    jobs=max(options["jobs"], 3 * workers),
                    load=options["load"],
                    demand=options["demand"],
                    seed=options["seed"],
                )
                with transaction.atomic():  # each run finds an empty database
                    rows.append(report(World(scenario, options["told"], options["told"] * options["futures"]).play()))
                    transaction.set_rollback(True)
                self.stdout.write(json.dumps(rows[-1]))
                self.stdout.flush()
        if options["chart"]:
            options["chart"].write_text(draw(rows))
