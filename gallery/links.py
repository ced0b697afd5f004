"""Addresses of files: signed for one viewer, so that one that leaks opens nothing for anybody else."""

from time import time
from uuid import UUID

from django.core.signing import Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from gallery.models import Media

ORIGINAL = "original"
HOUR = 3600
_signer = Signer(salt="gallery.file")


def media_url(media: Media, rendition: str, viewer) -> str:
    """The address of one file of `media` ("original" or a Rendition.Kind) for `viewer`, good for one to two hours.

    The expiry is rounded to the hour, so that a browser sees the same address, and uses its cache, for that long.
    """
    expires = (int(time()) // HOUR + 2) * HOUR
    signature = _signature(media.pk, rendition, viewer.pk, expires)
    return reverse("gallery:file", args=[media.pk, rendition, expires, signature])


def is_valid(media: UUID, rendition: str, viewer, expires: int, signature: str) -> bool:
    """Whether the address was made for this viewer and has not run out."""
    return expires >= time() and constant_time_compare(signature, _signature(media, rendition, viewer.pk, expires))


def _signature(media: UUID, rendition: str, viewer: int, expires: int) -> str:
    return _signer.signature(_message(media, rendition, viewer, expires))


def _message(media: UUID, rendition: str, viewer: int, expires: int) -> str:
    return f"{media}/{rendition}/{viewer}/{expires}"
