"""What the demo's team teaches: a subject that is learned, compared and taken, and a style that is not ready yet."""

from datetime import timedelta
from io import BytesIO

from django.db import transaction
from PIL import Image

from accounts.models import User
from gallery.models import Media
from generator.demo.people import Cast
from generator.demo.pictures import claim, run, take
from generator.demo.wishes import Wish
from generator.models import FINISHED, Checkpoint, Job, State, Training
from generator.services import trainings

SUBJECT, STYLE = "Northlight lighthouse", "Menu style"
PROMPT = "3d render of a lighthouse on a white background"
VIEWS, JUDGED = 5, 5
# A lesson of seconds: it shows how one looks, not how well one can be.
SHORT = {"steps": 6, "points": 2, "batch": 2, "views": 2, "rank": 8, "prior_pictures": 2, "sample_steps": 4}
WEIGHTS = (0.6, 1.0)


def show(cast: Cast, checkpoint: Checkpoint, steps: int) -> int:
    """Makes what is missing of them, pictures drawn in `steps`. Returns how many trainings were made."""
    before = Training.objects.count()
    there = Training.objects.filter(team=cast.team)
    if not there.filter(name=SUBJECT).exists():
        _subject(cast, checkpoint, steps)
    if not there.filter(name=STYLE).exists():
        _style(cast, checkpoint)
    return Training.objects.count() - before


def _subject(cast: Cast, checkpoint: Checkpoint, steps: int) -> None:
    user = cast.people["Mara Keller"]
    job = take(Wish(cast.team, user, PROMPT, None, "square", VIEWS, 4000, timedelta()), checkpoint, steps)
    run(job)
    wanted = {"name": SUBJECT, "noun": "lighthouse", "word": "northlight"}
    training = trainings.draft_training(user=user, team=cast.team, checkpoint=checkpoint, **wanted)
    pictures = Media.objects.filter(job=job.pk).order_by("index")
    trainings.add_many(user=user, training=training, media=list(pictures))
    trainings.state_rights(user=user, training=training, pictures=None, rights="own", people="nobody")
    Training.objects.filter(pk=training.pk).update(changes=SHORT)
    training.refresh_from_db()
    _learn(user, training)
    steps_kept = [point["step"] for point in training.points if point["step"]]
    _compare(user, training, steps_kept)
    trainings.choose_point(user=user, training=training, step=training.proposed or steps_kept[-1])


def _learn(user: User, training: Training) -> None:
    """All of its slices, here."""
    with transaction.atomic():
        trainings.start_training(user=user, training=training)
        job = Job.objects.get(training=training)
        claim(job)
    run(job)
    while job.state not in FINISHED:
        claim(job)
        run(job)
    if job.state != State.DONE:
        raise RuntimeError(f"the training “{training}” ended as {job.state}: {job.reason}")
    training.refresh_from_db()


def _compare(user: User, training: Training, steps: list[int]) -> None:
    with transaction.atomic():
        wanted = trainings.usual_comparison(training) | {"seed": 7, "points": steps, "weights": WEIGHTS}
        batch = trainings.compare_points(user=user, training=training, **wanted)
        jobs = list(batch.jobs.order_by("position"))
        for job in jobs:
            claim(job)
    for job in jobs:
        run(job)


def _style(cast: Cast, checkpoint: Checkpoint) -> None:
    """A draft: pictures of the team, and one that cannot be used; for some of them nobody has spoken yet."""
    user = cast.people["Aiko Tanaka"]
    training = trainings.draft_training(user=user, team=cast.team, checkpoint=checkpoint, name=STYLE, kind="style")
    found = Media.objects.reusable_by(user, cast.team).kept().filter(visibility=Media.Visibility.TEAM)
    pictures = trainings.add_many(user=user, training=training, media=list(found.order_by("created", "pk")[:JUDGED]))
    blank = BytesIO()
    Image.new("RGB", (512, 512), "#f4f1ea").save(blank, "PNG")
    trainings.add_file(user=user, training=training, name="menu cover, back.png", content=blank.getvalue())
    chosen = [picture.pk for picture in pictures[:-1]]
    trainings.state_rights(user=user, training=training, pictures=chosen, rights="own", people="nobody")
