"""Jobs as the API tells them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from accounts.api.me import PersonOut, TeamOut
from generator import events
from generator.models import Generation, Job


class JobOut(BaseModel):
    """One job, in brief."""

    id: UUID
    kind: str
    state: str = Field(description="queued, running, paused, done, failed or cancelled")
    prompt: str
    team: TeamOut
    owner: PersonOut
    visibility: str
    batch: UUID | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    reason: str = Field(description="why it failed, in plain words")

    @classmethod
    def of(cls, job: Job, **more: object) -> "JobOut":
        """Told from a row read with select_related(*RELATED)."""
        return cls(
            id=job.pk,
            kind=job.kind,
            state=job.state,
            prompt=job.generation.prompt,
            team=TeamOut(id=job.team_id, name=job.team.name),
            owner=PersonOut.of(job.owner),
            visibility=job.visibility,
            batch=job.batch_id,
            created=job.created,
            started=job.started,
            finished=job.finished,
            reason=job.reason,
            **more,
        )


RELATED = ("owner", "team", "generation__checkpoint", "generation__style")


class NowOut(BaseModel):
    """Where an unfinished job stands at this moment. Times in seconds, estimated."""

    step: int
    steps: int
    position: int | None = Field(description="jobs before it while it waits")
    eta: float | None = Field(description="until it starts while it waits, until its end while it runs")
    eta_range: list[float] | None = Field(None, description="[least, most] that eta may turn out to be")
    blocked: str = Field("", description="why it does not move, in plain words; empty while nothing stands in its way")

    @classmethod
    def of(cls, snapshot: events.Event) -> "NowOut":
        """What a socket would be told."""
        return cls(**{key: value for key, value in snapshot.items() if key in cls.model_fields})


class AdapterOut(BaseModel):
    """What changed how the model draws: a LoRA, or an embedding whose word stands in a prompt."""

    slug: str
    name: str
    kind: str
    weight: float


class SettingsOut(BaseModel):
    """What was asked for: enough to ask for the same again."""

    prompt: str
    negative_prompt: str
    checkpoint: str
    style: str | None
    format: str
    width: int
    height: int
    count: int
    steps: int
    guidance: float
    seed: int
    scheduler: str
    adapters: list[AdapterOut]

    @classmethod
    def of(cls, generation: Generation) -> "SettingsOut":
        """Models and styles by their slugs."""
        named = {
            "checkpoint": generation.checkpoint.slug,
            "style": generation.style.slug if generation.style else None,
        }
        plain = {name: getattr(generation, name) for name in cls.model_fields if name not in named}
        return cls(**named, **plain)
