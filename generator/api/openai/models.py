"""The models that may be chosen, as OpenAI's clients list them."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema

from generator.api.openai.errors import OpenAIError
from generator.models import Checkpoint
from generator.models.asset import AssetQuerySet

router = Router(tags=["models"])


class ModelOut(Schema):
    """One model. `name`, `licence` and `commercial_use` are ours."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "atelier"
    name: str
    licence: str
    commercial_use: str

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "ModelOut":
        """By its short name."""
        facts = {"licence": checkpoint.licence_name, "commercial_use": checkpoint.commercial_use}
        return cls(id=checkpoint.slug, name=checkpoint.name, **facts)


class ModelsOut(Schema):
    """All of them."""

    object: str = "list"
    data: list[ModelOut]


@router.get("/models", response=ModelsOut, summary="Models")
def models(request: HttpRequest) -> ModelsOut:
    """Those that the caller may choose."""
    return ModelsOut(data=[ModelOut.of(checkpoint) for checkpoint in _offered(request)])


@router.get("/models/{slug}", response=ModelOut, summary="One model")
def model(request: HttpRequest, slug: str) -> ModelOut:
    """By its short name."""
    found = _offered(request).filter(slug=slug).first()
    if found is None:
        message = _("The model “%(name)s” does not exist or you have no access to it.") % {"name": slug}
        raise OpenAIError(404, message, param="model", code="model_not_found")
    return ModelOut.of(found)


def _offered(request: HttpRequest) -> AssetQuerySet[Checkpoint]:
    return Checkpoint.objects.offered_to(request.user, request.team)
