"""Fills a demo team: people of every role, pictures really drawn by the default model, jobs in every state."""

import random
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Team, User
from accounts.roles import Role
from accounts.services import create_person, create_team
from gallery.models import Media
from gallery.services import like_media
from generator import queue, services
from generator.catalogue import install_builtin
from generator.formats import FORMATS
from generator.models import Checkpoint, Job, State, StylePreset

TEAM = "Northlight"
PEOPLE = [
    ("Mara Keller", Role.OWNER),
    ("Jonas Lind", Role.MANAGER),
    ("Aiko Tanaka", Role.CREATOR),
    ("Priya Nair", Role.CREATOR),
    ("Luis Ortega", Role.REVIEWER),
    ("Ada Brandt", Role.VIEWER),
]
SUBJECTS = [
    "a red apple",
    "a rocket",
    "a strawberry",
    "a birthday cake",
    "a sunflower",
    "a pizza",
    "a crown",
    "a watermelon",
    "a cupcake",
    "a sailboat",
    "a hamburger",
    "a doughnut",
    "a tulip",
    "a guitar",
    "a lemon",
    "a house",
    "a balloon",
    "a wrapped gift",
    "an ice cream",
    "a mushroom",
    "a laptop",
    "a camera",
    "an alarm clock",
    "a panda",
    "a fox",
    "a butterfly",
    "a soccer ball",
    "a backpack",
    "a candle",
]
BACKGROUNDS = ["", " on a navy blue background", " on a pink background", " on a mint green background"]
DAYS = 21


class Command(BaseCommand):
    """`manage.py seed_demo [--pictures N] [--steps N]`: does nothing when the demo team is there already."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """How much to draw, and how finely."""
        parser.add_argument("--pictures", type=int, default=64, help="pictures to draw (default 64)")
        parser.add_argument("--steps", type=int, default=12, help="steps each (default 12)")
        parser.add_argument("--seed", type=int, default=1, help="for the same demo each time")

    def handle(self, *args, pictures: int, steps: int, seed: int, **options) -> None:
        """Makes people, then jobs, has them drawn, and spreads them over the last weeks."""
        if Team.objects.filter(name=TEAM).exists():
            raise CommandError(f"There is a team called {TEAM} already; the demo was not made twice.")
        install_builtin()
        dice = random.Random(seed)
        team = self._people()
        jobs = self._jobs(team, pictures, steps, dice)
        self._draw(jobs)
        self._spread(team, dice)
        self._other_states(team)
        self.stdout.write(f"{Media.objects.filter(team=team).count()} pictures by {len(PEOPLE)} people in {TEAM}")

    def _people(self) -> Team:
        people = []
        for name, role in PEOPLE:
            email = f"{name.split()[0].lower()}@northlight.example"
            person = User.objects.filter(email=email).first() or create_person(email=email, name=name)
            person.pictures_per_day = 100_000
            person.save(update_fields=["pictures_per_day"])
            people.append((person, role))
        team = create_team(user=people[0][0], name=TEAM)
        for person, role in people[1:]:
            Membership.objects.create(team=team, user=person, role=role)
        for administrator in User.objects.filter(is_superuser=True):
            Membership.objects.get_or_create(team=team, user=administrator, defaults={"role": Role.OWNER})
            User.objects.filter(pk=administrator.pk).update(last_team=team)
        return team

    def _makers(self, team: Team) -> list[User]:
        return [m.user for m in team.memberships.exclude(role__in=[Role.REVIEWER, Role.VIEWER])]

    def _jobs(self, team: Team, pictures: int, steps: int, dice: random.Random) -> list[Job]:
        checkpoint = Checkpoint.objects.enabled().get(is_default=True)
        styles = [None, *StylePreset.objects.all().suiting(checkpoint.family)]
        jobs, left = [], pictures
        while left > 0:
            count = min(left, dice.choice([1, 2, 2, 4, 4]))
            left -= count
            style = dice.choice(styles)
            # A style that names a background needs no second one.
            background = "" if style and "background" in style.template else dice.choice(BACKGROUNDS)
            jobs.append(
                services.create_generation(
                    user=dice.choice(self._makers(team)),
                    team=team,
                    checkpoint=checkpoint,
                    prompt=dice.choice(SUBJECTS) + background,
                    style=style,
                    format=dice.choice(["square", "square", "square", *FORMATS]),
                    count=count,
                    steps=steps,
                    seed=dice.randrange(2**32 - 8),
                )
            )
        return jobs

    def _draw(self, jobs: list[Job]) -> None:
        """By this process, through the queue like every worker; whoever else works takes their share."""
        from generator import runner  # torch, which only this part needs
        from generator.progress import Progress

        done = 0
        while job := queue.claim(worker="seed"):
            runner.run(Progress(job))
            done += 1
            if done % 10 == 0:
                self.stdout.write(f"{done} of {len(jobs)} jobs drawn")

    def _spread(self, team: Team, dice: random.Random) -> None:
        now = timezone.now()
        people = [membership.user for membership in team.memberships.all()]
        with transaction.atomic():
            for job in Job.objects.filter(team=team, state=State.DONE):
                ago = timedelta(days=DAYS * dice.random() ** 2)
                times = {"created": job.created, "started": job.started, "finished": job.finished}
                Job.objects.filter(pk=job.pk).update(**{name: value - ago for name, value in times.items() if value})
                for media in Media.objects.filter(job=job.pk):
                    Media.objects.filter(pk=media.pk).update(created=now - ago)
                    for person in people:
                        if dice.random() < 0.12:
                            like_media(user=person, media=media, liked=True)

    def _other_states(self, team: Team) -> None:
        """One job of each of the states that nothing ends in by itself, for whoever looks at the pages."""
        example = Job.objects.filter(team=team, state=State.DONE).first()
        if example is None:
            return
        reason = "The worker ran out of memory. Ask for fewer or smaller pictures."
        for owner in {example.owner, *User.objects.filter(is_superuser=True)}:
            for state, facts in {
                State.FAILED: {"reason": reason, "trace": "torch.OutOfMemoryError: CUDA out of memory."},
                State.CANCELLED: {},
            }.items():
                job = services.retry_job(user=owner, job=example)
                if not job.move(state, **facts):
                    raise CommandError(f"job {job.pk} was taken by a worker before it could be shown as {state}")
