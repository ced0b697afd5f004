"""Parts of a file, for a download that goes on where it broke off (RFC 9110, section 14). One part at a time."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.core.files import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

PIECE = 512 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Part:
    """Bytes from `first` to `last`, both included; `first` after `last` is a part that the file does not have."""

    first: int
    last: int

    @property
    def is_there(self) -> bool:
        """Whether any byte of it exists."""
        return self.first <= self.last


def asked_for(request: HttpRequest, size: int, etag: str) -> Part | None:
    """The part that `request` wants of a file of `size` bytes; None for the whole.

    What is malformed, or names several parts, or another state of the file (If-Range), is answered with the whole.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not match or match.groups() == ("", "") or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        return Part(max(0, size - int(last)), size - 1) if int(last) else Part(size, size - 1)
    if last and int(last) < int(first):
        return None
    return Part(int(first), min(int(last), size - 1) if last else size - 1)


def send_part(stored: File, headers: dict[str, str], part: Part) -> HttpResponseBase:
    """206 with the bytes of an open file, or 416 when it is shorter than that."""
    size = stored.size
    if not part.is_there:
        stored.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    length = part.last - part.first + 1
    more = {"Content-Range": f"bytes {part.first}-{part.last}/{size}", "Content-Length": str(length)}
    return StreamingHttpResponse(_bytes(stored, part.first, length), status=206, headers={**headers, **more})


async def _bytes(stored: File, first: int, length: int) -> AsyncIterator[bytes]:
    # An asynchronous iterator: Django reads a synchronous one whole into memory under ASGI.
    try:
        await asyncio.to_thread(stored.seek, first)
        while length and (chunk := await asyncio.to_thread(stored.read, min(PIECE, length))):
            length -= len(chunk)
            yield chunk
    finally:
        stored.close()
