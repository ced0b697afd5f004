"""Putting jobs in line: what they cost, what the engine will be asked for."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import services as people
from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Media
from generator import events, queue
from generator.batches.matrix import escape
from generator.diffusion.spec import SpecError
from generator.diffusion.ways import geometry
from generator.diffusion.ways.spec import Margins
from generator.models import Adapter, Checkpoint, Generation, Job, StylePreset, Worker
from generator.models.preset import apply_words
from generator.services import assets, guides, ways
from generator.services.prompts import remember_prompt
from generator.services.refused import Refused
from generator.services.scenes import Placement

NO_FIELDS = {"mask", "extend", "aspect", "placement", "upscaler"}  # of Settings: fill_in makes fields of them


@dataclass(frozen=True)
class Estimate:
    """What a request would cost: seconds of work (None without a worker), pictures left today, jobs that wait."""

    seconds: float | None
    left_today: int | None
    waiting: int


class Settings(TypedDict, total=False):
    """What a person chooses of their pictures."""

    checkpoint: Required[Checkpoint]
    prompt: str
    negative_prompt: str
    style: StylePreset | None
    format: str
    aspect: tuple[int, int]  # width and height in any unit, where no format has these proportions
    count: int
    steps: int | None
    guidance: float | None
    seed: int | None
    scheduler: str | None
    title: str
    adapters: list[dict[str, Any]]  # as assets.choose_adapters says
    # The ways from a picture. `extend`: margins, or the short name of a format; `mask`: see ways.read_mask.
    way: str
    source: Media | None
    mask: File | bytes | None
    feather: int | None
    strength: float | None
    extend: Margins | str | None
    placement: Placement | None  # of a cutout in a scene, with the way inpaint instead of a mask
    variation_amount: float | None
    variation_seed: int | None
    factor: int | None
    upscaler: Adapter | None  # of the catalogue, for the ways that enlarge; None: the one that ships
    structure: Media | None
    structure_kind: str
    structure_scale: float | None
    reference: Media | None
    reference_scale: float | None


def cost_of(generation: Generation, paces: queue.Paces) -> float:
    """Seconds that it will take a worker which has the model loaded, as measured so far: what shares are shares of."""
    return paces.work(generation.paced_by, *generation.work, generation.count).seconds


def spec_of(
    generation: Generation, pictures: ways.Pictures | None = None, *, checkpoint: str | None = None
) -> geometry.Spec:
    """What the engine is asked for, the style's words applied; by outlines without `pictures`. Raises SpecError."""
    prompt, negative = generation.prompt, generation.negative_prompt
    if generation.style_words:
        prompt, negative = apply_words(generation.style_words, prompt, negative)
    elif generation.style:  # asked for before requests kept the words of their style
        prompt, negative = generation.style.apply(prompt, negative)
    return ways.spec_of(
        generation,
        pictures or ways.outlines(generation),
        checkpoint=checkpoint or generation.checkpoint.source,
        words=(prompt, negative),
    )


@transaction.atomic
def create_generation(
    *,
    user: User,
    team: Team,
    visibility: str = Media.Visibility.TEAM,
    written: str | None = None,
    **settings: Unpack[Settings],
) -> Job:
    """Puts 1-8 pictures in line, of a prompt or of a picture. What is left out of `settings` is as `prepare` says.

    `written` is the text that the prompt came out of, to be remembered instead of it; "": nothing is.

    Raises PermissionDenied when `user` may not make pictures in `team`, Refused when the quota or a policy says no.
    """
    generation = prepare(**settings)
    try:
        return submit(generation, user=user, team=team, visibility=visibility, written=written)
    except BaseException:
        ways.drop_mask(generation)
        raise


def prepare(**settings: Unpack[Settings]) -> Generation:
    """The row of a request, not written yet. What is left out comes from the model's own defaults; a seed is drawn.

    Raises Refused when the model is switched off or cannot draw this.
    """
    checkpoint = settings["checkpoint"]
    if not checkpoint.is_enabled:
        raise Refused(_("The model “%(name)s” is switched off. Choose another one.") % {"name": checkpoint.name})
    chosen = {name: value for name, value in settings.items() if value is not None}
    source, way = settings.get("source"), settings.get("way", Media.Way.TEXT)
    usual = {
        "count": 1 if source else 4,
        "steps": checkpoint.default_steps,
        "guidance": checkpoint.default_guidance,
        "seed": secrets.randbelow(2**32),
        "scheduler": checkpoint.default_scheduler,
        "format": "square",
        **(ways.usual(source, way) if source else {}),
    }
    kept = {name: value for name, value in chosen.items() if name not in NO_FIELDS}
    generation = Generation(**usual | kept)
    generation.style_words = generation.style.words if generation.style else {}
    try:
        mask = ways.fill_in(generation, chosen)
        spec = spec_of(generation, ways.outlines(generation, mask))
        if way != Media.Way.TEXT:
            generation.work_pixels, generation.work_steps = geometry.work(spec)
    except SpecError as error:
        raise Refused(str(error)) from error
    if mask:
        ways.keep_mask(generation, mask)
    return generation


def submit(generation: Generation, *, user: User, team: Team, visibility: str, written: str | None = None) -> Job:
    """Enters one prepared request, and remembers its prompt. Raises as `enter` does."""
    [job] = enter([generation], user=user, team=team, visibility=visibility)
    text = escape(generation.prompt) if written is None else written
    if text:
        remember_prompt(user=user, team=team, text=text, negative=generation.negative_prompt)
    transaction.on_commit(lambda: _announce(job))
    return job


@transaction.atomic
def enter(generations: Sequence[Generation], *, user: User, team: Team, visibility: str, **fields: Any) -> list[Job]:
    """Charges prepared requests and puts them in line, all or none; `fields` are written into each job.

    Raises PermissionDenied when `user` may not make pictures in `team`, Refused when there is no room or no quota.
    """
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    guides.add_guides(generations, user=user, team=team)
    assets.settle(generations, user=user, team=team)
    ways.check_pictures(generations, user=user, team=team)
    if any(one.style and one.style.team_id not in (None, team.pk) for one in generations):
        raise PermissionDenied
    check_room(user=user, team=team, jobs=len(generations))
    try:
        people.charge(user=user, team=team, pictures=sum(generation.count for generation in generations))
    except people.QuotaExceeded as error:
        raise Refused(str(error)) from error
    account = queue.open_account(team=team, user=user, urgency=fields.get("urgency", Job.Urgency.INTERACTIVE))
    paces = queue.Paces.read()
    for generation, position in zip(generations, queue.positions(len(generations)), strict=True):
        generation.job = Job(
            team=team,
            owner=user,
            visibility=visibility,
            account=account,
            position=position,
            family=generation.checkpoint.family if generation.draws else "",
            memory=generation.checkpoint.memory if generation.draws else 0,
            loads=generation.loads,
            alike=generation.alike,
            steps=generation.work[1],
            cost=cost_of(generation, paces),
            **fields,
        )
    jobs = [generation.job for generation in generations]
    queue.enter(jobs)
    Generation.objects.bulk_create(generations)
    return jobs


def check_room(*, user: User, team: Team, jobs: int = 1) -> None:
    """Refused when so many more jobs are more than `user` may have waiting in `team`."""
    room = queue.room_for(team=team, user=user)
    if room is None or jobs <= room:
        return
    if not room:
        raise Refused(
            _("You have as many jobs waiting in this team as your role allows. Wait for some, or cancel some.")
        )
    raise Refused(
        ngettext(
            "Only %(room)d more job of yours may wait in this team. Ask for less, or wait until some are done.",
            "Only %(room)d more jobs of yours may wait in this team. Ask for less, or wait until some are done.",
            room,
        )
        % {"room": room}
    )


def _announce(job: Job) -> None:
    queue.wake_workers()
    events.tell_queued(job)


def _seconds(checkpoint: Checkpoint, pixels: int, steps: int, count: int, workers: list[Worker]) -> float:
    """The mean over the living workers, with the time to load the model when none of them has it."""
    paces, slug = queue.Paces.read(), checkpoint.slug
    each = [paces.work(slug, pixels, steps, count, worker.device).seconds for worker in workers]
    is_cold = not any(slug in worker.loaded for worker in workers)
    return sum(each) / len(each) + (paces.load(slug) if is_cold else 0.0)


def estimate(*, user: User, checkpoint: Checkpoint, width: int, height: int, count: int, steps: int) -> Estimate:
    """What a request would cost `user` at this moment."""
    workers = list(Worker.objects.alive())
    return Estimate(
        seconds=_seconds(checkpoint, width * height, steps, count, workers) if workers else None,
        left_today=people.left_today(user),
        waiting=queue.waiting().count(),
    )
