"""Step previews and live progress: small, short-lived, in the cache; the database never sees them."""

from typing import Any, NotRequired, TypedDict
from uuid import UUID

from django.core.cache import cache
from django.urls import reverse

LIFETIME = 3600  # seconds; the last previews of a running job are never older than a step


class Live(TypedDict):
    """How far a running job is."""

    attempt: int
    seq: int
    step: int
    steps: int
    eta: float | None
    count: int  # pictures with a preview
    loss: NotRequired[float | None]  # of a training


def _preview(job: UUID, index: int, step: int) -> str:
    return f"preview:{job}:{index}:{step}"


def _live(job: UUID) -> str:
    return f"live:{job}"


def _wish(job: UUID) -> str:
    return f"wish:{job}"


def write(job: UUID, live: Live, pictures: list[bytes]) -> None:
    """Keeps one WebP a picture for the step that `live` tells of, all in one round trip."""
    entries: dict[str, Any] = {_preview(job, index, live["step"]): data for index, data in enumerate(pictures)}
    cache.set_many({**entries, _live(job): live}, LIFETIME)


def read_preview(job: UUID, index: int, step: int) -> bytes | None:
    """The WebP of one picture after one step, or None once it has gone."""
    return cache.get(_preview(job, index, step))


def read_live(job: UUID) -> Live | None:
    """Where a running job stands, as its worker last said."""
    return cache.get(_live(job))


def forget(job: UUID) -> None:
    """Drops the live state of a job that has ended. Its previews run out by themselves."""
    cache.delete_many([_live(job), _wish(job)])


def ask(job: UUID, wish: str) -> None:
    """Lets the worker see a wish ("cancel", "pause") at its next step; the row holds it too."""
    cache.set(_wish(job), wish, LIFETIME)


def asked(job: UUID) -> str | None:
    """What somebody wants of this running job."""
    return cache.get(_wish(job))


def take_back(job: UUID) -> None:
    """Nobody wants anything of this job any more."""
    cache.delete(_wish(job))


def urls(job: UUID, count: int, step: int) -> list[dict[str, Any]]:
    """The `previews` of an event: [{index, url}]. Whoever follows a URL is asked for permission there."""
    return [{"index": i, "url": reverse("generator:preview", args=[job, i, step])} for i in range(count)]
