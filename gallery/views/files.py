"""The one way to a file's bytes: sent from here, by the proxy in front, or by the store that browsers are sent to."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.db.models.fields.files import FieldFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import links, renditions, services
from gallery.models import Media
from gallery.views import ranges

WHOLE = 512 * 1024  # bytes up to which a file is sent in one piece
TYPES = {"png": "image/png", "webp": "image/webp", "avif": "image/avif"}
# Too large to go out without the word on them, where a team marks what is not approved.
MARKED = {"webp-1024", "webp-1600", "avif-1024", "avif-1600"}


@login_required
@require_safe
def file(request: HttpRequest, media: UUID, rendition: str, expires: int, signature: str) -> HttpResponseBase:
    """Bytes of an original or a rendition, for the viewer that the address was signed for, while they may see it."""
    if not links.is_valid(media, rendition, request.user, expires, signature):
        return HttpResponseForbidden(
            _("This address was made for another person or has run out. Open the picture's page.")
        )
    everything = Media.objects.all() if request.user.is_superuser else Media.objects.visible_to(request.user)
    found = everything.select_related("team").filter(pk=media).first()
    if found is None:
        raise Http404
    return answer(request, found, rendition, downloads="download" in request.GET)


def answer(request: HttpRequest, found: Media, rendition: str, *, downloads: bool) -> HttpResponseBase:
    """One file of a picture that the caller may see, with the word "Draft" on it where its team marks drafts. 404 where
    there is none. An original is known by its SHA-256, and goes on where a download broke off."""
    stored = found.file if rendition == links.ORIGINAL else _rendition(found, rendition)
    kind = stored.name.rsplit(".", 1)[-1]
    headers = {"Content-Type": TYPES[kind], "Cache-Control": "private, max-age=3600, immutable"}
    if downloads:
        name = f"{slugify(found.title or found.prompt)[:60] or 'picture'}-{found.seed}.{kind}"
        headers["Content-Disposition"] = content_disposition_header(True, name)
    is_draft = rendition in {links.ORIGINAL, *MARKED} and services.is_draft(found)
    part = None
    if rendition == links.ORIGINAL and not is_draft:
        etag = f'"{found.sha256}"'
        headers |= {"ETag": etag, "Accept-Ranges": "bytes"}
        part = ranges.asked_for(request, found.bytes, etag)
    response = marked(stored, headers) if is_draft else send(stored, headers, part)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def marked(stored: FieldFile, headers: dict[str, str]) -> HttpResponse:
    """The stored picture with the word "Draft" on it."""
    with stored.open("rb") as original:
        mark = renditions.draft_png if headers["Content-Type"] == TYPES["png"] else renditions.draft_webp
        data = mark(original.read())
    if mark is renditions.draft_webp:
        headers = {**headers, "Content-Type": TYPES["webp"]}
    # It may be approved at any moment, and is another file then.
    return HttpResponse(data, headers={**headers, "Cache-Control": "private, no-cache"})


def _rendition(media: Media, kind: str) -> FieldFile:
    found = media.renditions.filter(kind=kind).first()
    if found is None:
        raise Http404
    return found.file


def send(stored: FieldFile, headers: dict[str, str], part: ranges.Part | None = None) -> HttpResponseBase:
    """A stored file with these headers, by whichever way this installation has; whoever calls has asked who may.

    `part`: what a request asked for that goes on with a download. Proxies and stores see to that themselves.
    """
    if settings.MEDIA_REDIRECT:
        response = HttpResponseRedirect(stored.storage.signed_url(stored.name, headers))
        response["Cache-Control"] = f"private, max-age={stored.storage.signed_seconds // 2}"
        return response
    if settings.ACCEL_REDIRECT:
        return HttpResponse(headers={**headers, "X-Accel-Redirect": settings.ACCEL_REDIRECT + quote(stored.name)})
    try:
        stored.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    if part is not None:
        return ranges.send_part(stored, headers, part)
    if stored.size <= WHOLE:
        with stored:
            return HttpResponse(stored.read(), headers=headers)
    return StreamingHttpResponse(_chunks(stored), headers={**headers, "Content-Length": str(stored.size)})


async def _chunks(stored: File) -> AsyncIterator[bytes]:
    # An asynchronous iterator: Django reads a synchronous one whole into memory under ASGI.
    try:
        while chunk := await asyncio.to_thread(stored.read, WHOLE):
            yield chunk
    finally:
        stored.close()
