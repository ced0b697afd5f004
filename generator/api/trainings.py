"""Teaching a model a subject or a style: a draft with its pictures and their rights, its run, and what comes of it."""

from collections.abc import Callable
from datetime import datetime
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
from pydantic import BaseModel, Field

from accounts.api.asking import BINARY, Asked, Once, asked, mistake, team_asked, team_of
from accounts.api.me import PersonOut, TeamOut
from accounts.api.pages import NEXT, Cursor, Limit, cut
from accounts.models import Team, User
from accounts.services import once
from gallery.models import Media
from generator.api.adapters import AdapterOut
from generator.models import Adapter, Checkpoint, Training, TrainingPicture
from generator.services import Refused, trainings

router = Router(tags=["trainings"])
TOO_LARGE = 413
RELATED = ("team", "owner", "checkpoint", "job")
Kind = Literal["subject", "style", "scratch"]
Method = Literal["lora", "embedding", "scratch"]
Edge = Annotated[int, Field(ge=0, le=10**6)]
ID = "3f2b8c1e-5d4a-4e6b-9a7f-0c1d2e3f4a5b"  # in an example
_PNG = {"description": "the picture", "content": {"image/png": {"schema": BINARY}}}


class ChangesIn(Asked):
    """What is to be otherwise than what suits the model and the number of pictures."""

    model_config = {"extra": "forbid"}

    steps: int | None = Field(None, ge=1, le=20_000)
    rank: int | None = Field(None, ge=1, le=512, description="of a LoRA")
    vectors: int | None = Field(None, ge=1, le=32, description="of an embedding")
    learning_rate: float | None = Field(None, gt=0, le=1)
    size: int | None = Field(None, ge=64, le=2048, description="edge in pixels")
    points: int | None = Field(None, ge=1, le=40, description="results that are kept on the way")
    seed: int | None = Field(None, ge=0, lt=2**32)
    is_flipped: bool | None = Field(None, description="every other view mirrored, which spoils lettering")


class TrainingIn(Asked):
    """Something that is to be taught."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"kind": "subject", "name": "Our bottle", "noun": "bottle"}]},
    }

    kind: Literal["subject", "style"] = "subject"
    name: str = Field(min_length=1, max_length=80)
    noun: str = Field("", max_length=60, description="of a subject: what kind of thing it is, such as bottle or dog")
    word: str = Field("", max_length=40, description="what prompts call it by; without it made from the name")
    method: Literal["lora", "embedding"] = "lora"
    model: str | None = Field(None, description="short name; without it the one chosen at first")
    changes: ChangesIn = Field(default_factory=ChangesIn)
    team: UUID | None = Field(None, description="whose it is; without it the key's team, else the personal one")


class ScratchChangesIn(Asked):
    """What is to be otherwise than what suits the number of pictures."""

    model_config = {"extra": "forbid"}

    size: Literal[64, 128, 256] | None = Field(None, description="edge in pixels; 64 without it")
    steps: int | None = Field(None, ge=1, le=20_000)
    seed: int | None = Field(None, ge=0, lt=2**32)


class ScratchIn(Asked):
    """A model that is to be made of nothing but a data set."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"name": "X-rays", "source": f"import:{ID}", "people": "consent"}]},
    }

    name: str = Field(min_length=1, max_length=80)
    source: str = Field(max_length=60, description="import:ID (an upload of the caller's) or album:ID")
    people: Literal["nobody", "consent"] = Field(description="nobody can be recognised, or everybody has consented")
    phrase: str = Field("{}", max_length=200, description="what is said of each; {} stands for its own words")
    model: str | None = Field(None, description="whose text encoder is taken over; without it the one chosen at first")
    changes: ScratchChangesIn = Field(default_factory=ScratchChangesIn)
    team: UUID | None = Field(None, description="whose it is; without it the key's team, else the personal one")


class TrainingChange(Asked):
    """What of a draft is to be otherwise; what is left out or null stays."""

    model_config = {"extra": "forbid"}

    name: str | None = Field(None, min_length=1, max_length=80)
    noun: str | None = Field(None, max_length=60)
    word: str | None = Field(None, max_length=40)
    method: Literal["lora", "embedding"] | None = None
    model: str | None = None
    changes: ChangesIn | None = Field(None, description="takes the place of all that was changed before")


class GalleryIn(Asked):
    """Pictures of the gallery to learn from."""

    model_config = {"extra": "forbid"}

    media: list[UUID] = Field(min_length=1, max_length=100)


class PictureChange(Asked):
    """What of a picture is to be otherwise."""

    model_config = {"extra": "forbid"}

    caption: str | None = Field(None, max_length=400)
    crop: Literal["none", "suggested"] | tuple[Edge, Edge, Edge, Edge] | None = Field(
        None, description="left, top, right and bottom in pixels"
    )


class RightsIn(Asked):
    """The caller's word for pictures."""

    model_config = {"extra": "forbid"}

    rights: Literal["own", "client", "licensed", "generated", "public"] = Field(description="whose pictures they are")
    people: Literal["nobody", "consent"] = Field(description="nobody can be recognised, or everybody has consented")
    note: str = Field("", max_length=300, description="licence or source, in plain words")
    pictures: list[UUID] | None = Field(None, max_length=1000, description="without them: all")


class ProblemOut(BaseModel):
    """Something about a picture."""

    code: str
    severity: str = Field(description="stop: it cannot be learned from; warn: it teaches less than it could")
    words: str


class PictureOut(BaseModel):
    """A picture that is learned from."""

    id: UUID
    name: str
    media: UUID | None = Field(description="in the gallery, where it comes from there")
    width: int
    height: int
    caption: str
    crop: list[int] | None
    suggested_crop: list[int] | None
    problems: list[ProblemOut]
    rights: str = Field(description="empty while nobody has said whose it is")
    people: str
    stated: datetime | None

    @classmethod
    def of(cls, picture: TrainingPicture) -> "PictureOut":
        """A row as clients see it."""
        same = ("id", "name", "width", "height", "caption", "crop", "suggested_crop", "problems", "rights")
        facts: dict[str, Any] = {name: getattr(picture, name) for name in (*same, "people", "stated")}
        return cls(media=picture.media_id, **facts)


class ReadinessOut(BaseModel):
    """What stands between the pictures and learning from them."""

    score: int = Field(description="0 to 100")
    is_ready: bool
    advice: list[str]
    duplicates: list[tuple[UUID, UUID]]


class CostOut(BaseModel):
    """What learning would take."""

    seconds: float | None = Field(description="of compute, without waiting; null while the model was never timed here")
    memory: int = Field(description="MiB of a device")
    pictures: int = Field(description="of the day's, for samples and class pictures")
    steps: int
    can_run: bool | None = Field(description="whether a worker that lives could take it; null where none lives")


class PointOut(BaseModel):
    """A result that was kept on the way; step 0 is the model as it was before."""

    step: int
    validation: float = Field(description="loss on views that are not learned from")
    likeness: float = Field(description="of its samples to the pictures; 1: as like as can be")
    nearest: int = Field(description="bits of 256 by which the nearest picture differs from its samples; few: a copy")
    drift: float = Field(description="how much other pictures have changed by it; 0: not at all")
    is_overfitted: bool
    is_proposed: bool
    samples: list[str] = Field(description="where to fetch its samples")
    others: list[str] = Field(description="where to fetch what else it draws")
    taken: str | None = Field(description="short name of the adapter, or model, that it was made into")


class TrainingOut(BaseModel):
    """One training."""

    id: UUID
    name: str
    kind: Kind
    noun: str
    word: str
    method: Method
    model: str
    team: TeamOut
    owner: PersonOut
    version: int
    previous: UUID | None = Field(description="the version before")
    state: str = Field(description="draft, or as its job's: queued, running, paused, done, failed, cancelled")
    job: UUID | None
    step: int
    steps: int = Field(description="0 for a draft")
    loss: float | None
    created: datetime
    page: str = Field(description="where a person looks at it")

    @classmethod
    def of(cls, training: Training, **more: object) -> "TrainingOut":
        """Told from a row with what RELATED names."""
        same = ("id", "name", "kind", "noun", "word", "method", "version", "step", "steps", "loss", "created")
        return cls(
            **{name: getattr(training, name) for name in same},
            model=training.checkpoint.slug,
            team=TeamOut(id=training.team_id, name=training.team.name),
            owner=PersonOut.of(training.owner),
            previous=training.previous_id,
            state="draft" if training.is_draft else training.state or "cancelled",
            job=training.job_id,
            page=training.get_absolute_url(),
            **more,
        )


class FullTrainingOut(TrainingOut):
    """One training with all there is to know."""

    changes: dict[str, Any] = Field(description="what was chosen instead of what suits")
    reason: str = Field(description="why it failed or waits, where somebody said")
    seconds_left: float | None = Field(description="of compute; null while that is unknown, and when it has ended")
    count: int = Field(description="pictures")
    pictures: list[PictureOut] = Field(description="none of a data set, which may have thousands")
    readiness: ReadinessOut
    cost: CostOut | None = Field(description="of a draft that can be planned")
    points: list[PointOut]


class TrainingsOut(BaseModel):
    """A page of trainings, the newest first."""

    items: list[TrainingOut]
    next: str | None = Field(description=NEXT)


class TakenOut(BaseModel):
    """What a point was made into."""

    slug: str
    version: int
    is_model: bool = Field(description="a model: requests name it as `checkpoint`")
    adapter: AdapterOut | None


class RemovedOut(BaseModel):
    """What a picture leaves behind."""

    learned: list[AdapterOut] = Field(description="adapters that have learned from it, and do not forget it")


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
    return RemovedOut(learned=[AdapterOut.of(adapter) for adapter in taught])


@router.put("/trainings/{uuid:pk}/rights", response=FullTrainingOut, summary="Say whose the pictures are")
def state_rights(request: HttpRequest, pk: UUID, wanted: RightsIn) -> FullTrainingOut:
    """Without this nothing is learned from them."""
    return _after(request, pk, trainings.state_rights, **wanted.dict())


@router.post("/trainings/{uuid:pk}/start", response=FullTrainingOut, summary="Start")
def start(request: HttpRequest, pk: UUID) -> FullTrainingOut:
    """Or go on where it ended before its time. Refused, with the reason, before anything is computed."""
    return _after(request, pk, trainings.start_training)


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
def choose(request: HttpRequest, pk: UUID, step: Annotated[int, Path(ge=0, lt=2**31)]) -> Status:
    """Makes a kept point an adapter (of a model from scratch: a model) of the team, while it goes on as well."""
    made = trainings.choose_point(user=request.user, training=_seen(request, pk), step=step)
    adapter = AdapterOut.of(made) if isinstance(made, Adapter) else None
    return Status(201, TakenOut(slug=made.slug, version=made.version or 1, is_model=adapter is None, adapter=adapter))


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
    made = training.checkpoints if training.is_scratch else training.adapters
    taken = dict(made.values_list("point", "slug"))
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
