"""What is asked and told of trainings: drafts, pictures with rights, readiness, points, what they become."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from accounts.api.asking import Asked
from accounts.api.me import PersonOut, TeamOut
from accounts.api.pages import NEXT
from generator.api.adapters import AdapterOut
from generator.models import Training, TrainingPicture

Kind = Literal["subject", "style", "scratch"]
Method = Literal["lora", "embedding", "full", "scratch"]
Edge = Annotated[int, Field(ge=0, le=10**6)]


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
    method: Literal["lora", "embedding", "full"] = "lora"
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

    model_config = {"extra": "forbid"}

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
    method: Literal["lora", "embedding", "full"] | None = None
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


class ComparisonIn(Asked):
    """Which kept points are to draw one prompt, at which weights; of what is left out, the usual."""

    model_config = {"extra": "forbid", "json_schema_extra": {"examples": [{"points": [300, 580], "weights": [0.8, 1]}]}}

    prompt: str | None = Field(None, min_length=1, max_length=2000, description="without it the first sample's")
    seed: int | None = Field(None, ge=0, lt=2**32, description="of every picture; without it the training's")
    points: list[int] | None = Field(None, min_length=1, max_length=200, description="steps; without them all but 0")
    weights: list[float] | None = Field(
        None, min_length=1, max_length=10, description="of 0.2, 0.4 … 1.4, an embedding 1 only; without them 0.4 to 1.2"
    )


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
    models: list[str] = Field(description="likewise models, by short name")
