"""The workers, for administrators."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Router, Schema

from generator.models import Worker

router = Router(tags=["workers"])


class WorkerOut(Schema):
    """One worker process, as it announced itself. Memory in MiB."""

    name: str
    device: str
    dtype: str
    memory: int
    memory_free: int
    kinds: list[str]
    families: list[str]
    loaded: list[str]
    version: str
    is_paused: bool
    is_alive: bool
    jobs_done: int
    started: datetime
    seen: datetime


@router.get("/workers", response=list[WorkerOut], summary="Workers")
def workers(request: HttpRequest) -> list[WorkerOut]:
    """All that were seen, whether they still live or not. For administrators only."""
    if not request.user.is_staff:
        raise PermissionDenied
    alive = set(Worker.objects.alive().values_list("pk", flat=True))
    facts = [name for name in WorkerOut.model_fields if name != "is_alive"]
    return [
        WorkerOut(is_alive=worker.pk in alive, **{name: getattr(worker, name) for name in facts})
        for worker in Worker.objects.all()
    ]
