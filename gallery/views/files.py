"""The one way to a file's bytes."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import links
from gallery.models import Media

WHOLE = 512 * 1024  # bytes up to which a file is sent in one piece
TYPES = {"png": "image/png", "webp": "image/webp"}


@login_required
@require_safe
def file(request: HttpRequest, media: UUID, rendition: str, expires: int, signature: str) -> HttpResponseBase:
    """Bytes of an original or a rendition, for the viewer that the address was signed for, while they may see it."""
    if not links.is_valid(media, rendition, request.user, expires, signature):
        return HttpResponseForbidden(
            _("This address was made for another person or has run out. Open the picture's page.")
        )
    everything = Media.objects.all() if request.user.is_superuser else Media.objects.visible_to(request.user)
    found = everything.filter(pk=media).first()
    if found is None:
        raise Http404
    stored = found.file if rendition == links.ORIGINAL else _rendition(found, rendition)
    kind = stored.name.rsplit(".", 1)[-1]
    response = _send(stored, TYPES[kind])
    response["Cache-Control"] = "private, max-age=3600, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    if "download" in request.GET:
        name = f"{slugify(found.title or found.prompt)[:60] or 'picture'}-{found.seed}.{kind}"
        response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _rendition(media: Media, kind: str) -> File:
    found = media.renditions.filter(kind=kind).first()
    if found is None:
        raise Http404
    return found.file


def _send(stored: File, content_type: str) -> HttpResponseBase:
    try:
        stored.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    if stored.size <= WHOLE:
        with stored:
            return HttpResponse(stored.read(), content_type=content_type)
    response = StreamingHttpResponse(_chunks(stored), content_type=content_type)
    response["Content-Length"] = str(stored.size)
    return response


async def _chunks(stored: File) -> AsyncIterator[bytes]:
    # An asynchronous iterator: Django reads a synchronous one whole into memory under ASGI.
    try:
        while chunk := await asyncio.to_thread(stored.read, WHOLE):
            yield chunk
    finally:
        stored.close()
