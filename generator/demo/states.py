"""Jobs in every state that nothing ends in by itself, each brought there by what brings real ones there."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Team, User
from gallery.models import Media
from generator import queue, services
from generator.demo.people import Cast
from generator.demo.pictures import claim, run, take
from generator.demo.wishes import Wish
from generator.models import Batch, Checkpoint, Hold, Job, State

ABSENT = "folio-xl"  # a model whose files nobody has put there: what is asked of it really fails
LONG_AGO = timedelta(days=1)


def show_all(cast: Cast, checkpoint: Checkpoint) -> int:
    """Makes what is missing of them. Returns how many jobs were made."""
    before = Job.objects.count()
    makers = [cast.people["Mara Keller"], cast.people["Aiko Tanaka"], *_administrators(cast.team)]
    for number, maker in enumerate(makers):
        wish = _wish(cast.team, maker, "3d render of a lighthouse on a teal background", number)
        _once(State.CANCELLED, wish, checkpoint, _cancel)
        _once(State.PAUSED, wish, checkpoint, _pause)
        _once(State.FAILED, wish, _absent_model(), _fail)
    _once(State.FAILED, _wish(cast.team, cast.people["Priya Nair"], "3d render of a kite", 7), checkpoint, _quarantine)
    Checkpoint.objects.filter(slug=ABSENT).update(is_enabled=False)
    _hold_back(cast, checkpoint)
    _batch(cast, checkpoint)
    return Job.objects.count() - before


def _administrators(team: Team) -> list[User]:
    return list(team.members.filter(is_superuser=True))


def _wish(team: Team, maker: User, prompt: str, number: int) -> Wish:
    return Wish(team, maker, prompt, None, "square", 4, 1000 + number, timedelta())


def _once(state: State, wish: Wish, checkpoint: Checkpoint, make) -> None:
    there = Job.objects.filter(state=state, team=wish.team, owner=wish.maker, generation__prompt=wish.prompt)
    if not there.exists():
        make(wish, checkpoint)


@transaction.atomic
def _cancel(wish: Wish, checkpoint: Checkpoint) -> None:
    services.cancel_job(user=wish.maker, job=_asked(wish, checkpoint))


@transaction.atomic
def _pause(wish: Wish, checkpoint: Checkpoint) -> None:
    services.pause_job(user=wish.maker, job=_asked(wish, checkpoint))


def _fail(wish: Wish, checkpoint: Checkpoint) -> None:
    run(take(wish, checkpoint, checkpoint.default_steps))


@transaction.atomic
def _quarantine(wish: Wish, checkpoint: Checkpoint) -> None:
    """A job whose worker was lost with it as often as is allowed."""
    job = take(wish, checkpoint, checkpoint.default_steps)
    Job.objects.filter(pk=job.pk).update(
        attempts=settings.JOB_MAX_ATTEMPTS - 1, lease_expires=timezone.now() - LONG_AGO
    )
    queue.recover(queue.expired().filter(pk=job.pk))


def _hold_back(cast: Cast, checkpoint: Checkpoint) -> None:
    """Jobs that wait for as long as somebody looks: the second team's turn is held."""
    owner = cast.people["Noor Haddad"]
    if not Hold.objects.filter(team=cast.other).exists():
        services.hold_team(user=owner, team=cast.other, reason="Until the new colours are decided.")
    for number, thing in enumerate(("sailboat", "anchor", "fish", "compass", "lighthouse")):
        maker = cast.makers(cast.other)[number % 2]
        wish = _wish(cast.other, maker, f"3d icon of a {thing} on a sky blue background", 20 + number)
        _once(State.QUEUED, wish, checkpoint, _asked)


def _batch(cast: Cast, checkpoint: Checkpoint) -> None:
    """One request for several prompts, drawn but for the last, which was cancelled."""
    user = next(iter(_administrators(cast.team)), cast.people["Mara Keller"])
    template = "3d render of a {cupcake|tulip|balloon} on a {pink|white} background"
    if Batch.objects.filter(team=cast.team, template=template).exists():
        return
    prompts = [
        f"3d render of a {a} on a {b} background" for a in ("cupcake", "tulip", "balloon") for b in ("pink", "white")
    ]
    generations = [
        services.prepare(checkpoint=checkpoint, prompt=prompt, count=1, seed=number)
        for number, prompt in enumerate(prompts)
    ]
    with transaction.atomic():
        batch = services.create_batch(
            user=user,
            team=cast.team,
            name="Mother’s Day",
            origin=Batch.Origin.MATRIX,
            generations=generations,
            visibility=Media.Visibility.TEAM,
            template=template,
        )
        *drawn, last = batch.jobs.order_by("position")
        services.cancel_job(user=user, job=last)
        for job in drawn:
            claim(job)
    for job in drawn:
        run(job)


def _asked(wish: Wish, checkpoint: Checkpoint) -> Job:
    return services.create_generation(
        user=wish.maker,
        team=wish.team,
        checkpoint=checkpoint,
        prompt=wish.prompt,
        count=wish.count,
        seed=wish.seed,
    )


def _absent_model() -> Checkpoint:
    model, _made = Checkpoint.objects.get_or_create(
        slug=ABSENT,
        defaults={
            "name": "Folio XL",
            "source": str(Path(settings.MODELS_ROOT) / ABSENT),
            "family": "sdxl",
            "native_size": 1024,
            "memory": 8000,
            "licence_name": "CreativeML Open RAIL++-M",
            "commercial_use": Checkpoint.CommercialUse.CONDITIONAL,
        },
    )
    model.is_enabled = True  # while it is asked for what fails
    model.save(update_fields=["is_enabled"])
    return model
