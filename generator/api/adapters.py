"""LoRAs and embeddings: those that a team is offered, with where they come from; lent to others, retired."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Router
from pydantic import BaseModel, Field

from accounts.api.asking import Asked, team_asked, team_of
from accounts.models import User
from generator.models import Adapter, Training
from generator.services import trainings

router = Router(tags=["adapters"])
NAMED = (Adapter.Kind.LORA, Adapter.Kind.EMBEDDING)  # by requests; a model's guides work without being named
Slug = Annotated[str, Path(max_length=60, pattern="^[-a-zA-Z0-9_]+$")]


class AdapterOut(BaseModel):
    """Something that a model was taught. Requests name it in `adapters` by its `slug`."""

    slug: str
    name: str
    kind: str = Field(description="lora or embedding")
    family: str = Field(description="of the models that it works with")
    weight: float = Field(description="usual strength")
    word: str = Field(description="of an embedding: what prompts call it by")
    triggers: list[str] = Field(description="of a LoRA: words that it was trained on")
    version: int | None = Field(description="among those of its name that were taught here")
    is_retired: bool
    licence_name: str
    commercial_use: str = Field(description="yes, conditional or no")
    training: UUID | None = Field(description="where it was taught, if that was here")
    step: int | None = Field(description="the point of its training that was taken")

    @classmethod
    def of(cls, adapter: Adapter) -> "AdapterOut":
        """A row as clients see it."""
        same = ("slug", "name", "kind", "family", "word", "triggers", "version", "licence_name", "commercial_use")
        return cls(
            **{name: getattr(adapter, name) for name in same},
            weight=adapter.weight,
            is_retired=not adapter.is_enabled,
            training=adapter.training_id,
            step=adapter.point,
        )


class RetiredIn(Asked):
    """Whether it is to be out of the menus."""

    model_config = {"extra": "forbid"}

    is_retired: bool


class LentIn(Asked):
    """A team that is to use it, or no longer."""

    model_config = {"extra": "forbid"}

    team: UUID
    is_lent: bool = True


@router.get("/adapters", response=list[AdapterOut], summary="Adapters")
def adapters(request: HttpRequest, team: UUID | None = None) -> list[AdapterOut]:
    """Those that the caller may use in the team."""
    offered = Adapter.objects.offered_to(request.user, team_asked(request, team))
    return [AdapterOut.of(one) for one in offered.filter(kind__in=NAMED)]


@router.put("/adapters/{slug}/retired", response=AdapterOut, summary="Retire an adapter")
def retire(request: HttpRequest, slug: Slug, wanted: RetiredIn) -> AdapterOut:
    """Out of the menus, or back: its maker, or who curates. What was made with it stays."""
    found = _taught(request.user, slug)
    trainings.retire_adapter(user=request.user, adapter=found, retired=wanted.is_retired)
    return AdapterOut.of(_taught(request.user, slug))


@router.put("/adapters/{slug}/teams", response=AdapterOut, summary="Lend an adapter")
def lend(request: HttpRequest, slug: Slug, wanted: LentIn) -> AdapterOut:
    """To another team of the caller's, or takes it back from one."""
    found, team = _taught(request.user, slug), team_of(request, wanted.team)
    trainings.share_adapter(user=request.user, adapter=found, team=team, shared=wanted.is_lent)
    return AdapterOut.of(found)


def _taught(user: User, slug: str) -> Adapter:
    """One that was taught in a team of the caller's, else 404."""
    taught = Adapter.objects.filter(training__in=Training.objects.visible_to(user))
    return get_object_or_404(taught.select_related("training__team"), slug=slug)
