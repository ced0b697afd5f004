"""Draws the demo's pictures with the default model, and has people do with them what people do."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Usage
from accounts.services import refund
from gallery import services as gallery
from gallery.models import Album, Like, Media
from generator import services
from generator.catalogue import STARTER_FAMILY
from generator.demo.people import Cast
from generator.demo.wishes import Wish
from generator.models import Checkpoint, Job, Prompt, State

WORKER = "demo"
LIKED, TRASHED, TITLED = 0.12, 0.03, 0.2  # shares of all pictures
MOMENTS = ("created", "started", "first_step", "decoded", "stored", "finished")
CAMPAIGNS = ("autumn menu", "spring launch", "newsletter", "app icons", "summer sale")


def draw(wishes: list[Wish], checkpoint: Checkpoint, steps: int, tell: Callable[[int], None]) -> int:
    """Draws whatever of `wishes` is not there yet and calls `tell` with each number of pictures so far."""
    drawn = 0
    for wish in wishes:
        if not Job.objects.filter(team=wish.team, generation__seed=wish.seed, generation__prompt=wish.prompt).exists():
            job = take(wish, checkpoint, steps)
            run(job)
            if job.state != State.DONE:
                raise RuntimeError(f"the job for “{wish.prompt}” ended as {job.state}: {job.reason}")
            _date_back(job, wish.ago)
            drawn += wish.count
            tell(drawn)
    return drawn


@transaction.atomic
def take(wish: Wish, checkpoint: Checkpoint, steps: int) -> Job:
    """A job that is this process's own from its first moment: no worker ever sees it waiting."""
    job = services.create_generation(
        user=wish.maker,
        team=wish.team,
        checkpoint=checkpoint,
        prompt=wish.prompt,
        style=wish.style,
        format=wish.format,
        count=wish.count,
        steps=steps,
        seed=wish.seed,
    )
    claim(job)
    return job


def claim(job: Job) -> None:
    """Takes a job for this process, past the line."""
    now = timezone.now()
    job.move(State.RUNNING, lease=uuid.uuid4(), lease_expires=now + timedelta(hours=1), worker=WORKER, started=now)


def run(job: Job) -> None:
    """Takes a claimed job to its end, as a worker does."""
    from generator import runner  # torch, which only this needs
    from generator.progress import Progress

    runner.run(Progress(job))
    job.refresh_from_db()


def _date_back(job: Job, ago: timedelta) -> None:
    """As if all of it had happened `ago`: the job, its pictures, its line in the ledger, its prompt in the history."""
    moments = {name: getattr(job, name) - ago for name in MOMENTS if getattr(job, name)}
    lines = [line | {"at": (datetime.fromisoformat(line["at"]) - ago).isoformat()} for line in job.history]
    today, day = timezone.localdate(job.created), timezone.localdate(moments["created"])
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**moments, history=lines)
        Media.objects.filter(job=job.pk).update(created=moments["finished"])
        digest = Prompt.digest_of(job.generation.prompt, job.generation.negative_prompt)
        Prompt.objects.filter(user=job.owner, team=job.team, digest=digest).update(last_used=moments["created"])
        refund(user=job.owner, team=job.team, pictures=job.generation.count, day=today)
        booked = {"pictures": job.generation.count}
        line, is_new = Usage.objects.get_or_create(user=job.owner, team=job.team, day=day, defaults=booked)
        if not is_new:
            Usage.objects.filter(pk=line.pk).update(pictures=F("pictures") + job.generation.count)


def live_with(cast: Cast, seed: int) -> None:
    """Likes, titles, a few in the trash, albums, words and reviews: once for each picture, then never again."""
    fresh = Media.objects.filter(
        team__in=[cast.team, cast.other], job__isnull=False, likes=None, title="", deleted=None
    )
    for media in fresh.order_by("seed"):
        dice = random.Random(f"{seed} {media.seed}")
        _react(media, dice)
    _save_prompts(cast)
    if not Album.objects.filter(team=cast.team).exists():
        _albums(cast)
        _talk(cast)
        _brand(cast)


def _react(media: Media, dice: random.Random) -> None:
    people = media.team.members.order_by("pk")
    Like.objects.bulk_create([Like(media=media, user=person) for person in people if dice.random() < LIKED])
    gallery.count_opinions(pictures=Media.objects.filter(pk=media.pk))
    if dice.random() < TITLED:
        subject = media.prompt.removeprefix("3d render of ").split(" on a ")[0].split(" ", 1)[-1]
        title = f"{subject.capitalize()}, {dice.choice(CAMPAIGNS)}"
        media.title = title
        media.save(update_fields=["title", "words"])
    if dice.random() < TRASHED:
        Media.objects.filter(pk=media.pk).update(deleted=timezone.now() - timedelta(days=dice.randrange(20)))


def _save_prompts(cast: Cast) -> None:
    """Three prompts of everybody's own are kept, and the first of them is shared."""
    for maker in cast.makers(cast.team):
        own = Prompt.objects.filter(user=maker, team=cast.team)
        if not own.filter(is_saved=True).exists():
            for number, prompt in enumerate(own.order_by("-uses", "pk")[:3]):
                services.save_prompt(user=maker, prompt=prompt)
                if number == 0:
                    services.share_prompt(user=maker, prompt=prompt)


def _albums(cast: Cast) -> None:
    mara, aiko, priya = (cast.people[name] for name in ("Mara Keller", "Aiko Tanaka", "Priya Nair"))
    kept = Media.objects.kept().filter(team=cast.team).order_by("seed")
    for user, name, about, chosen in (
        (
            mara,
            "Autumn menu",
            "Icons for the printed menu and the table cards.",
            kept.filter(prompt__regex="cake|pizza|burger|cookie|ice cream|apple|pear|lemon"),
        ),
        (aiko, "App icons", "One thing on one colour; square only.", kept.filter(format="square")),
        (priya, "Banners for the shop", "", kept.filter(format__in=["banner", "landscape"])),
    ):
        gallery.create_album(
            user=user, team=cast.team, name=name, description=about, media=chosen.values_list("pk", flat=True)[:24]
        )
    gallery.create_album(user=aiko, team=cast.team, name="Moodboard, not sorted yet")


def _talk(cast: Cast) -> None:
    """Reviews in each of their states, and words about pictures."""
    luis, mara = cast.people["Luis Ortega"], cast.people["Mara Keller"]
    pictures = Media.objects.kept().filter(team=cast.team).exclude(owner=mara).order_by("-created", "pk")[:9]
    verdicts = ["", "", "", "approved", "approved", "changes", "rejected"]
    notes = {"changes": "Lovely, but the colour is too close to the competitor's.", "rejected": "Not our style."}
    for media, verdict in zip(pictures, verdicts, strict=False):
        review = gallery.ask_review(
            user=media.owner, media=media, reviewers=[luis], note="For the newsletter on Friday."
        )
        if verdict:
            gallery.decide(user=luis, review=review, verdict=verdict, note=notes.get(verdict, ""))
    for media, text in zip(pictures, ("This one for the cover?", "Could we see it on navy as well?"), strict=False):
        comment = gallery.add_comment(user=mara, media=media, text=text)
        gallery.add_comment(user=media.owner, media=media, text="Yes, coming this afternoon.", parent=comment)


def _brand(cast: Cast) -> None:
    """The team's colours and a style of its own, and an album that is shown to people outside."""
    mara, jonas = cast.people["Mara Keller"], cast.people["Jonas Lind"]
    gallery.set_brand(user=mara, team=cast.team, name="Northlight")
    gallery.set_colours(
        user=mara, team=cast.team, colours=[("Night", "#1b2a49"), ("Lamp", "#f5b83d"), ("Paper", "#f7f3ea")]
    )
    services.add_style(
        user=jonas,
        team=cast.team,
        name="Northlight night",
        template="3d render of {prompt} on a navy blue background",
        negative="text, letters",
        families=[STARTER_FAMILY],
        sample_prompt="a rocket",
    )
    menu = Album.objects.get(team=cast.team, name="Autumn menu")
    gallery.make_link(
        user=mara, album=menu, name="For the printer", expires=timezone.now() + timedelta(days=21), may_download=True
    )
