"""Teaching a model a subject or a style: a draft with its pictures and their rights, its run, and what comes of it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Status
from ninja.errors import HttpError, ValidationError

from accounts.api.asking import BINARY, Once, asked, mistake, team_asked, team_of
from accounts.api.pages import Cursor, Limit, cut
from accounts.models import Team, User
from accounts.services import once
from gallery.models import Media
from generator.api.adapters import AdapterOut
from generator.api.generations import BatchOut, batch_told
from generator.api.training_schemas import (
    ComparisonIn,
    CostOut,
    FullTrainingOut,
    GalleryIn,
    PictureChange,
    PictureOut,
    PointOut,
    ReadinessOut,
    RemovedOut,
    RightsIn,
    ScratchIn,
    TakenOut,
    TrainingChange,
    TrainingIn,
    TrainingOut,
    TrainingsOut,
)
from generator.models import Adapter, Checkpoint, Training, TrainingPicture
from generator.services import Refused, trainings

router = Router(tags=["trainings"])
TOO_LARGE = 413
RELATED = ("team", "owner", "checkpoint", "job")
_PNG = {"description": "the picture", "content": {"image/png": {"schema": BINARY}}}


@router.get("/trainings", response=TrainingsOut, summary="Trainings")
def listed(
    request: HttpRequest, team: UUID | None = None, mine: bool = False, limit: Limit = 20, cursor: Cursor = None
) -> TrainingsOut:
    """Those of the caller's teams, or of one of them."""
    found = Training.objects.visible_to(request.user).select_related(*RELATED)
    if team is not None:
        found = found.filter(team=team_asked(request, team))
    if mine:
        found = found.filter(owner=request.user)
    rows, following = cut(found, "created", cursor=cursor, limit=limit)
    return TrainingsOut(items=[TrainingOut.of(row) for row in rows], next=following)


@router.post("/trainings", response={201: FullTrainingOut}, summary="Draft a training")
def draft(request: HttpRequest, response: HttpResponse, wanted: TrainingIn, idempotency_key: Once = None) -> Status:
    """Nothing is computed before it has pictures and is started."""

    def make() -> str:
        team = team_of(request, wanted.team)
        said = wanted.dict(include={"kind", "name", "noun", "word", "method"})
        chosen = _model(request.user, team, wanted.model)
        changes = wanted.changes.dict(exclude_none=True)
        made = trainings.draft_training(user=request.user, team=team, checkpoint=chosen, changes=changes, **said)
        return str(made.pk)

    pk = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    return _made(request, response, pk)


@router.post("/trainings/scratch", response={201: FullTrainingOut}, summary="Draft a model from scratch")
def draft_scratch(
    request: HttpRequest, response: HttpResponse, wanted: ScratchIn, idempotency_key: Once = None
) -> Status:
    """Of an import or an album; nothing is computed before it is started."""

    def make() -> str:
        team = team_of(request, wanted.team)
        said = wanted.dict(include={"name", "source", "people", "phrase"})
        chosen = _model(request.user, team, wanted.model)
        changes = wanted.changes.dict(exclude_none=True)
        return str(trainings.draft_scratch(user=request.user, team=team, checkpoint=chosen, changes=changes, **said).pk)

    pk = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    return _made(request, response, pk)


@router.get("/trainings/{uuid:pk}", response=FullTrainingOut, summary="One training", url_name="training")
def one(request: HttpRequest, pk: UUID) -> FullTrainingOut:
    """Its pictures and what is missing of them, how far it is, the points that it has kept."""
    return _full(_seen(request, pk))


@router.patch("/trainings/{uuid:pk}", response=FullTrainingOut, summary="Change a draft")
def change(request: HttpRequest, pk: UUID, wanted: TrainingChange) -> FullTrainingOut:
    """Other settings, as long as nothing was computed."""
    found = _seen(request, pk)
    said = {name: getattr(found, name) for name in ("name", "noun", "word", "method", "changes")}
    said |= wanted.dict(exclude_none=True, exclude={"model"})
    chosen = found.checkpoint if wanted.model is None else _model(request.user, found.team, wanted.model)
    return _after(request, pk, trainings.change_training, checkpoint=chosen, **said)


@router.delete("/trainings/{uuid:pk}", response={204: None}, summary="Delete a training")
def delete(request: HttpRequest, pk: UUID) -> Status:
    """With its pictures. Refused while it is under way, and once an adapter comes from it: retire that."""
    trainings.delete_training(user=request.user, training=_seen(request, pk))
    return Status(204, None)


@router.post(
    "/trainings/{uuid:pk}/files",
    response={201: PictureOut},
    summary="Bring a picture",
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {"schema": BINARY}}, "required": True}},
)
def add_file(
    request: HttpRequest,
    pk: UUID,
    name: Annotated[str, Query(min_length=1, max_length=200, pattern="^[^\0]+$")],
    idempotency_key: Once = None,
) -> Status:
    """The body is the file itself. It is judged at once: `problems` say what teaches little or nothing."""
    found = _seen(request, pk)
    # Read only as far as a file may go: never a body of any length.
    if int(request.headers.get("Content-Length") or 0) > trainings.MOST_BYTES:
        raise HttpError(TOO_LARGE, _("A picture has at most %(n)d bytes.") % {"n": trainings.MOST_BYTES})
    content = request.read(trainings.MOST_BYTES + 1)

    def make() -> str:
        return str(trainings.add_file(user=request.user, training=found, name=name, content=content).pk)

    said = asked(request, name.encode() + sha256(content).digest())
    made = once(user=request.user, key=idempotency_key, asked=said, make=make)
    return Status(201, PictureOut.of(_picture(request, pk, UUID(made))))


@router.post("/trainings/{uuid:pk}/gallery", response=FullTrainingOut, summary="Take pictures of the gallery")
def add_media(request: HttpRequest, pk: UUID, wanted: GalleryIn) -> FullTrainingOut:
    """All of them, or, where one may not be learned from, none."""
    _seen(request, pk)
    known = {media.pk: media for media in Media.objects.visible_to(request.user).kept().filter(pk__in=wanted.media)}
    for place, media in enumerate(wanted.media):
        if media not in known:
            raise ValidationError([mistake(_("There is no such picture."), "media", place)])
    return _after(request, pk, trainings.add_many, media=[known[media] for media in wanted.media])


@router.patch("/trainings/{uuid:pk}/pictures/{uuid:picture}", response=PictureOut, summary="Change a picture")
def change_picture(request: HttpRequest, pk: UUID, picture: UUID, wanted: PictureChange) -> PictureOut:
    """Another caption, another crop."""
    found = _picture(request, pk, picture)
    trainings.change_picture(user=request.user, picture=found, **wanted.dict(exclude_none=True))
    return PictureOut.of(_picture(request, pk, picture))


@router.delete("/trainings/{uuid:pk}/pictures/{uuid:picture}", response=RemovedOut, summary="Take a picture out")
def remove_picture(request: HttpRequest, pk: UUID, picture: UUID) -> RemovedOut:
    """Its file goes too; `learned` says which adapters know it."""
    taught = trainings.remove_picture(user=request.user, picture=_picture(request, pk, picture))
    adapters = [AdapterOut.of(one) for one in taught if isinstance(one, Adapter)]
    return RemovedOut(learned=adapters, models=[one.slug for one in taught if isinstance(one, Checkpoint)])


@router.put("/trainings/{uuid:pk}/rights", response=FullTrainingOut, summary="Say whose the pictures are")
def state_rights(request: HttpRequest, pk: UUID, wanted: RightsIn) -> FullTrainingOut:
    """Without this nothing is learned from them."""
    return _after(request, pk, trainings.state_rights, **wanted.dict())


@router.post("/trainings/{uuid:pk}/start", response=FullTrainingOut, summary="Start")
def start(request: HttpRequest, pk: UUID, idempotency_key: Once = None) -> FullTrainingOut:
    """Or go on where it ended before its time. Refused, with the reason, before anything is computed."""
    found = _seen(request, pk)

    def make() -> str:
        return str(trainings.start_training(user=request.user, training=found).job_id)

    once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return _full(_seen(request, pk))


@router.post("/trainings/{uuid:pk}/pause", response=FullTrainingOut, summary="Pause")
def pause(request: HttpRequest, pk: UUID) -> FullTrainingOut:
    """Rests after its step, with all that it has learned."""
    return _after(request, pk, trainings.pause_training)


@router.post("/trainings/{uuid:pk}/resume", response=FullTrainingOut, summary="Resume")
def resume(request: HttpRequest, pk: UUID) -> FullTrainingOut:
    """Goes on."""
    return _after(request, pk, trainings.resume_training)


@router.post("/trainings/{uuid:pk}/stop", response=FullTrainingOut, summary="Stop")
def stop(request: HttpRequest, pk: UUID) -> FullTrainingOut:
    """Ends it; the points that it has kept stay."""
    return _after(request, pk, trainings.stop_training)


@router.post("/trainings/{uuid:pk}/versions", response={201: FullTrainingOut}, summary="Make a new version")
def again(request: HttpRequest, response: HttpResponse, pk: UUID, idempotency_key: Once = None) -> Status:
    """A draft with the same settings, pictures and statements."""
    found = _seen(request, pk)

    def make() -> str:
        return str(trainings.new_version(user=request.user, training=found).pk)

    made = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    return _made(request, response, made)


@router.post("/trainings/{uuid:pk}/points/{step}", response={201: TakenOut}, summary="Take a point")
def choose(
    request: HttpRequest, pk: UUID, step: Annotated[int, Path(ge=0, lt=2**31)], idempotency_key: Once = None
) -> Status:
    """Makes a kept point an adapter of the team, or a model (all weights, from scratch); while it goes on as well."""
    found = _seen(request, pk)

    def make() -> str:
        return trainings.choose_point(user=request.user, training=found, step=step).slug

    slug = once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    made = found.taken.get(slug=slug)
    adapter = AdapterOut.of(made) if isinstance(made, Adapter) else None
    return Status(201, TakenOut(slug=made.slug, version=made.version or 1, is_model=adapter is None, adapter=adapter))


@router.post("/trainings/{uuid:pk}/comparisons", response={201: BatchOut}, summary="Compare points")
def compare(
    request: HttpRequest, response: HttpResponse, pk: UUID, wanted: ComparisonIn, idempotency_key: Once = None
) -> Status:
    """A batch of one picture for each point and weight, whose titles say which, all of one prompt and seed."""
    found = _seen(request, pk)

    def make() -> str:
        said = trainings.usual_comparison(found) | wanted.dict(exclude_none=True)
        return str(trainings.compare_points(user=request.user, training=found, **said).pk)

    batch = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    response["Location"] = reverse("api:batch", args=[batch])
    return Status(201, batch_told(request.user, batch))


@router.get(
    "/trainings/{uuid:pk}/points/{step}/{kind}/{number}",
    summary="A sample of a point",
    url_name="training_sample",
    openapi_extra={"responses": {200: _PNG}},
)
def sample(
    request: HttpRequest,
    pk: UUID,
    step: Annotated[int, Path(ge=0, lt=2**31)],
    kind: Literal["sample", "other"],
    number: Annotated[int, Path(ge=0, lt=100)],
) -> HttpResponse:
    """What it draws of the new thing (sample), and of others."""
    content = trainings.read_sample(_seen(request, pk), step, kind, number)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/png")


def _seen(request: HttpRequest, pk: UUID) -> Training:
    return get_object_or_404(Training.objects.visible_to(request.user).select_related(*RELATED), pk=pk)


def _picture(request: HttpRequest, pk: UUID, picture: UUID) -> TrainingPicture:
    found = TrainingPicture.objects.filter(removed=None).select_related("training")
    return get_object_or_404(found, pk=picture, training=_seen(request, pk))


def _model(user: User, team: Team, slug: str | None) -> Checkpoint:
    """The one that is named, or the usual one. ValidationError for one that is not there for the caller."""
    offered = Checkpoint.objects.offered_to(user, team)
    found = offered.filter(slug=slug).first() if slug else offered.order_by("-is_default", "name").first()
    if found is None:
        if not Checkpoint.objects.offered_to(user, team).exists():
            raise PermissionDenied
        raise ValidationError([mistake(_("There is no such model."), "model")])
    return found


def _after(request: HttpRequest, pk: UUID, act: Callable[..., object], **more: Any) -> FullTrainingOut:
    """The training after `act`, a service. 404 for one that cannot be seen; the service says whether it may be."""
    act(user=request.user, training=_seen(request, pk), **more)
    return _full(_seen(request, pk))


def _made(request: HttpRequest, response: HttpResponse, pk: UUID) -> Status:
    response["Location"] = reverse("api:training", args=[pk])
    return Status(201, _full(_seen(request, pk)))


def _full(training: Training) -> FullTrainingOut:
    there = training.pictures.filter(removed=None)
    count = there.count()
    ready = trainings.readiness(training)
    return FullTrainingOut.of(
        training,
        changes=training.changes,
        reason=training.job.reason if training.job else "",
        seconds_left=trainings.time_left(training),
        count=count,
        pictures=[] if training.is_scratch else [PictureOut.of(picture) for picture in there],
        readiness=ReadinessOut(**vars(ready)),
        cost=_cost(training, count) if training.is_draft else None,
        points=_points(training),
    )


def _cost(training: Training, count: int) -> CostOut | None:
    try:
        return CostOut(**vars(trainings.cost_of(training, trainings.plan(training, count))))
    except Refused:
        return None


def _points(training: Training) -> list[PointOut]:
    taken = dict(training.taken.values_list("point", "slug"))
    measures = ("step", "validation", "likeness", "nearest", "drift", "is_overfitted")
    return [
        PointOut(
            **{name: point[name] for name in measures},
            is_proposed=point["step"] == training.proposed,
            samples=_addresses(training, point, "sample", "samples"),
            others=_addresses(training, point, "other", "others"),
            taken=taken.get(point["step"]),
        )
        for point in training.points
    ]


def _addresses(training: Training, point: dict[str, Any], kind: str, counted: str) -> list[str]:
    places = range(point[counted])
    return [reverse("api:training_sample", args=[training.pk, point["step"], kind, number]) for number in places]
