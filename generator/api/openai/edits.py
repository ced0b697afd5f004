"""Edits for OpenAI's clients: the picture is brought in as an upload, then an ordinary job makes it anew."""

import asyncio
from time import monotonic
from typing import Any

from channels.db import database_sync_to_async
from django.core.files.uploadedfile import UploadedFile as SentFile
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Form, Router

from accounts.models import Team, User
from gallery import services as gallery
from gallery.models import Media, Upload, UploadedFile
from gallery.models.errand import State
from generator.api.openai.errors import OpenAIError
from generator.api.openai.images import ImagesOut, answer, submit
from generator.api.openai.wants import ImagesIn

router = Router(tags=["images"])

PATIENCE = 60  # seconds until a worker has looked at the picture
LOOK_EVERY = 0.1
MOST_BYTES = 50 * 1024**2  # of a picture, as OpenAI has it
WHOLE = 4 * 1024**2  # bytes that an upload takes at once


@router.post("/images/edits", response=ImagesOut, exclude_none=True, summary="Edit a picture")
async def edit(request: HttpRequest, wanted: Form[ImagesIn]) -> Any:
    """Multipart, with the picture as `image` (or `image[]`). With a `mask` (a PNG of the same size, clear where the
    picture is to be made anew) everything outside it stays exactly as it is; without one all of it changes, as far as
    `strength` says."""
    team, user = request.team, request.user
    image, mask = _sent(request)
    brought = await database_sync_to_async(_bring)(user, team, image)
    source = await _look_until_there(brought)
    if mask:
        more = {"way": Media.Way.INPAINT, "source": source, "mask": mask.read()}
    else:
        more = {"way": Media.Way.IMAGE, "source": source, "strength": wanted.strength}
    if wanted.pixels is None:
        more["format"] = "source"

    def requests(by: User, of: Team) -> list[dict[str, Any]]:
        return [{**asked, **more} for asked in wanted.requests(by, of)]

    return await answer(request, wanted, await submit(request, requests), "image_edit")


def _sent(request: HttpRequest) -> tuple[SentFile, SentFile | None]:
    images = [*request.FILES.getlist("image"), *request.FILES.getlist("image[]")]
    if len(images) != 1:
        message = _("Send one picture as `image`.") if not images else _("Only one picture can be edited at a time.")
        raise OpenAIError(400, message, param="image", code="invalid_value")
    if images[0].size > MOST_BYTES:
        raise OpenAIError(400, _("The picture is larger than 50 MB."), param="image", code="invalid_value")
    return images[0], request.FILES.get("mask")


def _bring(user: User, team: Team, image: SentFile) -> UploadedFile:
    """Puts the bytes in line for a worker to look at: nothing of them is decoded here."""
    try:
        upload = gallery.begin_upload(user=user, team=team, whose=Upload.Whose.OWN)
        file = gallery.add_file(user=user, upload=upload, name=image.name or "picture.png", size=image.size)
        for data in image.chunks(WHOLE):
            file = gallery.add_piece(user=user, file=file, offset=file.received, data=data)
        return gallery.finish_file(user=user, file=file)
    except gallery.Refused as error:
        raise OpenAIError(400, str(error), param="image", code="invalid_value") from error


async def _look_until_there(file: UploadedFile) -> Media:
    """The picture, once a worker has made one of the bytes. OpenAIError for what is none, and when no worker comes."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        found = await database_sync_to_async(_read)(file)
        if found.media:
            return found.media
        if found.state == State.FAILED:
            raise OpenAIError(400, found.reason, param="image", code="invalid_image")
        await asyncio.sleep(LOOK_EVERY)
    raise OpenAIError(503, _("No worker looked at the picture in time. Try again later."), code="no_worker")


def _read(file: UploadedFile) -> UploadedFile:
    return UploadedFile.objects.select_related("media").get(pk=file.pk)
