"""Asking for pictures: one request, many at once, again; and following one by server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Schema, Status
from ninja.errors import ValidationError
from pydantic import Field

from accounts.api.asking import Asked, Once, asked, mistakes, team_of
from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from accounts.services import once
from gallery.api.exports import ExportOut
from gallery.models import Export, Media
from generator import services
from generator.api.jobs import FullJobOut, full
from generator.batch_forms import RowForm
from generator.batches.matrix import MOST
from generator.diffusion.spec import MAX_ADAPTERS, MAX_WEIGHT
from generator.following import follow
from generator.formats import nearest_format
from generator.forms import GUIDES, MAX_PICTURES, STRONGEST, GenerationForm
from generator.models import Batch, Checkpoint, Generation, Job, State
from generator.services import datasets

router = Router(tags=["generations"])
# For the description: ninja knows no schema of a stream.
_EVENTS = {"description": "a stream of events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
Side = Annotated[int, Field(ge=16, le=4096)]


class AdapterIn(Asked):
    """A LoRA or an embedding that the model draws with."""

    slug: str = Field(max_length=50, pattern="^[-a-zA-Z0-9_]+$")
    weight: float | None = Field(
        None, ge=-MAX_WEIGHT, le=MAX_WEIGHT, description="without it the usual one of this adapter"
    )


class SettingsIn(Asked):
    """What the pictures should be. What is left out is the model's own; a seed is drawn."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"prompt": "a red apple, 3d icon", "count": 2, "seed": 7}]},
    }

    prompt: str
    negative_prompt: str = ""
    checkpoint: str | None = Field(None, description="short name of a model; without it the one chosen at first")
    style: str | None = Field(None, description="short name of a style preset")
    format: str | None = Field(None, description="short name; without it square, or the nearest to `aspect`")
    aspect: tuple[Side, Side] | None = Field(
        None, description="width and height, where no format has these proportions; the size is the model's own"
    )
    count: int = Field(1, description=f"pictures, 1 to {MAX_PICTURES}")
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    scheduler: str | None = None
    adapters: list[AdapterIn] = Field(default_factory=list, max_length=MAX_ADAPTERS)
    reference: UUID | None = Field(None, description="a picture of the gallery that is gone by")
    reference_as: str | None = Field(
        None, description=f"what to take over from it: {', '.join(GUIDES)}; a model's `guides` say what it can"
    )
    reference_scale: float | None = Field(None, description=f"how strongly, up to {STRONGEST:g}")

    form: ClassVar[type[GenerationForm]] = GenerationForm

    def checked(self, user: User, team: Team, *place: str | int) -> dict[str, Any]:
        """What the services take. ValidationError with the path of each mistake, below `place` in the body."""
        data = self.model_dump(exclude={"team", "visibility", "title", "aspect"}, exclude_none=True)
        if "format" not in data:
            data["format"] = nearest_format(*self.aspect or (1, 1)).slug
        if "checkpoint" not in data:
            usual = Checkpoint.objects.enabled().filter(is_default=True).first()
            data["checkpoint"] = usual.slug if usual else ""
        data["adapters"] = ",".join(f"{one.slug}:{'' if one.weight is None else one.weight}" for one in self.adapters)
        form = self.form(data, team=team, user=user)
        if not form.is_valid():
            raise ValidationError(mistakes(form, *place))
        asked = {name: value for name, value in form.arguments().items() if name != "visibility"}
        return {**asked, "aspect": self.aspect} if self.aspect else asked


class GenerationIn(SettingsIn):
    """One request."""

    team: UUID | None = Field(None, description="whose it is; without it the key's team, else the personal one")
    visibility: str = Field("team", pattern="^(private|team|published)$")


class RowIn(SettingsIn):
    """One request of a batch."""

    title: str = Field("", max_length=120)
    count: int = Field(1, description=f"pictures, 1 to {MOST * MAX_PICTURES}; seeds go on from one to the next")
    form: ClassVar[type[GenerationForm]] = RowForm


class BatchIn(Asked):
    """Many requests that are followed, paused and cancelled as one."""

    model_config = {"extra": "forbid"}

    name: str = Field(min_length=1, max_length=120)
    generations: list[RowIn] = Field(min_length=1, max_length=MOST)
    team: UUID | None = None
    visibility: str = Field("team", pattern="^(private|team|published)$")

    def prepared(self, user: User, team: Team) -> list[Generation]:
        """The requests, ready to be put in line. ValidationError and Refused as for one."""
        found: list[Generation] = []
        for place, row in enumerate(self.generations):
            settings = {**row.checked(user, team, "generations", place), "title": row.title}
            found += services.prepare_row(**settings)
            services.check_size(found)
        return found


class DataSetIn(Asked):
    """How near to a training picture is too near."""

    model_config = {"extra": "forbid"}

    name: str = Field("", max_length=200, description="of the export; without it the batch's")
    bound: int = Field(
        datasets.USUAL,
        ge=datasets.LEAST,
        le=datasets.MOST,
        description="pictures are left out that differ from a training picture in fewer of 256 bits (PDQ)",
    )


class BatchEstimateOut(Schema):
    """What a batch would cost."""

    prompts: int
    pictures: int
    seconds: list[float] | None = Field(
        description="[alone on the workers, behind all that waits already] until its end; null without a worker"
    )
    pictures_left_today: int


class BatchOut(Schema):
    """A batch and how far it is."""

    id: UUID
    name: str
    team: UUID
    states: dict[str, int] = Field(description="how many of its jobs are in which state")
    total: int


@router.post("/generations", response={201: FullJobOut}, summary="Make pictures")
def create(request: HttpRequest, response: HttpResponse, wanted: GenerationIn, idempotency_key: Once = None) -> Any:
    """Puts it in line and answers at once; follow it by `/jobs/{id}/events`, a socket, or by asking."""

    def make() -> str:
        team = team_of(request, wanted.team)
        settings = wanted.checked(request.user, team)
        job = services.create_generation(user=request.user, team=team, visibility=wanted.visibility, **settings)
        return str(job.pk)

    pk = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    return _made(request, response, pk)


@router.post("/jobs/{uuid:pk}/retry", response={201: FullJobOut}, summary="Again")
def retry(request: HttpRequest, response: HttpResponse, pk: UUID, idempotency_key: Once = None) -> Any:
    """A new job with the same settings, seed included, for whoever asks."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)

    def make() -> str:
        return str(services.retry_job(user=request.user, job=job).pk)

    made = once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return _made(request, response, UUID(made))


@router.post("/batches", response={201: BatchOut}, summary="Make many")
def create_batch(request: HttpRequest, response: HttpResponse, wanted: BatchIn, idempotency_key: Once = None) -> Any:
    """All in line, or, where one of them cannot be made, none."""

    def make() -> str:
        team = team_of(request, wanted.team)
        batch = services.create_batch(
            user=request.user,
            team=team,
            name=wanted.name,
            origin=Batch.Origin.TABLE,
            generations=wanted.prepared(request.user, team),
            visibility=wanted.visibility,
        )
        return str(batch.pk)

    pk = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    response["Location"] = reverse("api:batch", args=[pk])
    return Status(201, batch_told(request.user, pk))


@router.post("/batches/estimate", response=BatchEstimateOut, summary="What many would cost")
def estimate_batch(request: HttpRequest, wanted: BatchIn) -> BatchEstimateOut:
    """Checks the same request and makes nothing of it."""
    team = team_of(request, wanted.team)
    if not can(request.user, Action.CREATE, team):
        raise PermissionDenied
    guess = services.estimate_batch(user=request.user, generations=wanted.prepared(request.user, team))
    return BatchEstimateOut(
        prompts=guess.prompts, pictures=guess.pictures, seconds=guess.time, pictures_left_today=guess.left_today
    )


@router.get("/batches/{uuid:pk}", response=BatchOut, summary="One batch", url_name="batch")
def batch(request: HttpRequest, pk: UUID) -> BatchOut:
    """How far it is."""
    return batch_told(request.user, pk)


@router.get("/batches/{uuid:pk}/media", response=list[UUID], summary="Pictures of a batch")
def batch_media(request: HttpRequest, pk: UUID) -> list[UUID]:
    """Ids of those that are finished, in the order of its requests."""
    found = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    order = list(found.jobs.filter(hidden=False).order_by("position", "pk").values_list("pk", flat=True))
    place = {job: number for number, job in enumerate(order)}
    pictures = Media.objects.visible_to(request.user).kept().filter(job__in=order).values_list("job", "index", "pk")
    return [media for _place, _index, media in sorted((place[job], index, media) for job, index, media in pictures)]


@router.post("/batches/{uuid:pk}/cancel", response=BatchOut, summary="Cancel a batch")
def cancel_batch(request: HttpRequest, pk: UUID) -> BatchOut:
    """What waits at once, what runs within one step; what is done stays."""
    services.cancel_batch(user=request.user, batch=get_object_or_404(Batch.objects.visible_to(request.user), pk=pk))
    return batch_told(request.user, pk)


@router.post("/batches/{uuid:pk}/data-set", response=ExportOut, summary="A batch as a data set")
def data_set(
    request: HttpRequest, pk: UUID, wanted: DataSetIn | None = None, idempotency_key: Once = None
) -> ExportOut:
    """A zip as ImageFolder reads it, with the nearest training picture of each; an export: watch and fetch it there."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user).select_related("team"), pk=pk)
    settings = (wanted or DataSetIn()).dict()

    def make() -> str:
        return str(datasets.export_data_set(user=request.user, batch=batch, **settings).pk)

    made = once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return ExportOut.of(get_object_or_404(Export.objects.visible_to(request.user).kept(), pk=UUID(made)))


@router.get("/jobs/{uuid:pk}/events", summary="Follow a job", openapi_extra={"responses": {200: _EVENTS}})
async def events(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """Server-sent events: the snapshot first, then what a socket would be told, until the job has ended."""
    if not await Job.objects.watchable_by(request.user).filter(pk=pk).aexists():
        raise Http404
    response = StreamingHttpResponse(_lines(request.user, pk), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # a proxy in front must not collect them
    return response


async def _lines(user: User, pk: UUID) -> AsyncIterator[bytes]:
    async for event in follow(user, pk):
        yield f"event: {event['type']}\nid: {event['attempt']}.{event['seq']}\ndata: {json.dumps(event)}\n\n".encode()


def _made(request: HttpRequest, response: HttpResponse, pk: UUID) -> Status:
    response["Location"] = reverse("api:job", args=[pk])
    return Status(201, full(request.user, pk))


def batch_told(user: User, pk: UUID) -> BatchOut:
    """A batch that `user` may see; else 404."""
    found = get_object_or_404(Batch.objects.visible_to(user), pk=pk)
    states = list(found.jobs.filter(hidden=False).values_list("state", flat=True))
    counted = {state.value: states.count(state) for state in State if state in states}
    return BatchOut(id=found.pk, name=found.name, team=found.team_id, states=counted, total=len(states))
