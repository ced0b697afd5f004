"""Pictures for OpenAI's clients: an ordinary job, waited for. Streaming sends real previews of its steps."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from time import time
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from accounts.services import QuotaExceeded
from gallery.models import Media
from generator import events, previews, services
from generator.api.openai import files, render
from generator.api.openai.errors import OpenAIError
from generator.api.openai.wants import ImagesIn
from generator.following import ENDS, follow
from generator.models import Job

router = Router(tags=["images"])


class ImageOut(Schema):
    """One picture, in the one form or the other. `media` is ours: its id in the gallery."""

    b64_json: str | None = None
    url: str | None = None
    seed: int | None
    media: UUID


class ImagesOut(Schema):
    """The finished pictures."""

    created: int
    data: list[ImageOut]
    background: str = "opaque"
    output_format: str
    size: str
    usage: dict[str, Any] = Field(description="we count pictures, no tokens: these are 0")


@router.post("/images/generations", response=ImagesOut, exclude_none=True, summary="Make pictures")
async def generate(request: HttpRequest, wanted: ImagesIn) -> Any:
    """Waits for the pictures, or streams `image_generation.*` events while they emerge (`stream`)."""
    jobs = await submit(request, wanted.requests)
    return await answer(request, wanted, jobs, "image_generation")


async def answer(request: HttpRequest, wanted: ImagesIn, jobs: list[Job], kind: str) -> Any:
    """What follows once the jobs are in line. A client that goes away takes them out of it again."""
    look, user = render.Look.wanted(wanted), request.user
    if wanted.stream:
        response = StreamingHttpResponse(_stream(user, wanted, jobs, look, kind), content_type="text/event-stream")
        response["Cache-Control"], response["X-Accel-Buffering"] = "no-cache", "no"
        return response
    try:
        for job in jobs:
            async for event in follow(user, job.pk):
                _check(event)
    except BaseException:
        await asyncio.shield(_give_up(user, jobs))
        raise
    return await database_sync_to_async(_images)(request, wanted, jobs, look)


@database_sync_to_async
def submit(request: HttpRequest, requests: Callable[[User, Team], list[dict[str, Any]]]) -> list[Job]:
    """The jobs of what `requests` says for the caller and their team, in line, or none."""
    user, team = request.user, request.team
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    try:
        return put_in_line(user, team, requests(user, team))
    except services.Refused as error:
        if isinstance(error.__cause__, QuotaExceeded):
            raise OpenAIError(429, str(error), code="insufficient_quota") from error
        raise OpenAIError(400, str(error), code="refused") from error


def put_in_line(user: User, team: Team, requests: list[dict[str, Any]]) -> list[Job]:
    """A job for each request, or none."""
    with transaction.atomic():
        return [services.create_generation(user=user, team=team, **asked) for asked in requests]


def _check(event: events.Event) -> None:
    """OpenAIError for an end without pictures. No status that clients would try again: it would end the same."""
    if event["type"] == "job.failed":
        raise OpenAIError(422, event["reason"], code="generation_failed")
    if event["type"] == "job.cancelled":
        raise OpenAIError(422, _("The job was cancelled."), code="cancelled")


async def _give_up(user: User, jobs: list[Job]) -> None:
    for job in jobs:
        await database_sync_to_async(services.cancel_job)(user=user, job=job)


def _images(request: HttpRequest, wanted: ImagesIn, jobs: list[Job], look: render.Look) -> ImagesOut:
    found = finished(request.user, jobs)
    as_url = wanted.response_format == "url"
    data = []
    for media in found:
        where = request.build_absolute_uri(f"/v1/{files.path_of(media.pk, request.user, look)}") if as_url else None
        encoded = None if as_url else b64encode(render.picture(media, look)).decode()
        data.append(ImageOut(b64_json=encoded, url=where, seed=media.seed, media=media.pk))
    return ImagesOut(
        created=int(time()), data=data, output_format=look.file, size=_size(found[0], look), usage=_usage(len(data))
    )


def finished(user: User, jobs: list[Job]) -> list[Media]:
    """The pictures of the jobs, in their order. OpenAIError where somebody has deleted them meanwhile."""
    order = [job.pk for job in jobs]
    found = Media.objects.visible_to(user).kept().filter(job__in=order).select_related("team")
    pictures = sorted(found, key=lambda media: (order.index(media.job), media.index))
    if not pictures:
        raise OpenAIError(422, _("The pictures were deleted."), code="generation_failed")
    return pictures


def _size(media: Media, look: render.Look) -> str:
    return "x".join(str(side) for side in look.size or (media.width, media.height))


def _usage(pictures: int) -> dict[str, Any]:
    none = {"image_tokens": 0, "text_tokens": 0}
    return {
        "input_tokens": 0,
        "input_tokens_details": none,
        "output_tokens": 0,
        "total_tokens": 0,
        "pictures": pictures,
    }


# --- Streaming ---


async def _stream(user: User, wanted: ImagesIn, jobs: list[Job], look: render.Look, kind: str) -> AsyncIterator[bytes]:
    facts = {"background": "opaque", "output_format": look.file, "quality": wanted.quality or "auto"}
    waiting, shown = list(jobs), 0
    try:
        for job in jobs:
            async for event in follow(user, job.pk):
                _check(event)
                if _wants_preview(event, wanted.partial_images or 0, shown):
                    for told in await database_sync_to_async(_partial)(job, event, look, shown):
                        yield _line({**told, **facts, "type": f"{kind}.partial_image"})
                    shown += 1
                if event["type"] in ENDS:
                    waiting.remove(job)
            shown = 0
            for told in await database_sync_to_async(_completed)(user, job, look):
                yield _line({**told, **facts, "type": f"{kind}.completed"})
    except OpenAIError as error:
        yield _line({**error.body, "type": "error"})
    finally:
        if waiting:
            await asyncio.shield(_give_up(user, waiting))


def _wants_preview(event: events.Event, number: int, shown: int) -> bool:
    """Whether it is time for the next of `number` previews, which are spread evenly over the steps."""
    if shown >= number or not event.get("previews") or event["step"] >= event["steps"]:
        return False
    return event["step"] >= (shown + 1) * event["steps"] / (number + 1)


def _partial(job: Job, event: events.Event, look: render.Look, number: int) -> list[dict[str, Any]]:
    """A preview of each picture after the event's step, where it is still there."""
    told = []
    for entry in event["previews"]:
        if data := previews.read_preview(job.pk, entry["index"], event["step"]):
            encoded = b64encode(render.preview(data, look)).decode()
            facts = {"step": event["step"], "steps": event["steps"], "index": entry["index"]}
            told.append({"b64_json": encoded, "partial_image_index": number, **_when(job), "size": "auto", **facts})
    return told


def _completed(user: User, job: Job, look: render.Look) -> list[dict[str, Any]]:
    return [
        {
            "b64_json": b64encode(render.picture(media, look)).decode(),
            **_when(job),
            "size": _size(media, look),
            "usage": _usage(1),
            "media": str(media.pk),
            "seed": media.seed,
            "index": media.index,
        }
        for media in finished(user, [job])
    ]


def _when(job: Job) -> dict[str, int]:
    return {"created_at": int(job.created.timestamp())}


def _line(told: dict[str, Any]) -> bytes:
    return f"event: {told['type']}\ndata: {json.dumps(told)}\n\n".encode()
