"""Smaller versions of pictures, made by whoever has no model to load. The tile is there at once, all else follows."""

import io
import logging
from functools import partial
from time import monotonic
from uuid import UUID

from celery import current_app
from django.core.files.base import ContentFile
from django.db import transaction
from kombu.exceptions import OperationalError
from PIL import Image

from gallery import renditions
from gallery.models import Media, Rendition

log = logging.getLogger(__name__)

MOST_AT_ONCE = 5000  # pictures that one look finds
DERIVE = "atelier.derive"  # the task's name; sent by name, since tasks are built on services


def ask_to_derive(pks: list[UUID]) -> None:
    """Has the smaller versions of these pictures made, once their rows are there. What gets lost is found later."""
    transaction.on_commit(partial(_send, [str(pk) for pk in pks]), robust=True)


def _send(pks: list[str]) -> None:
    try:
        current_app.send_task(DERIVE, [pks], retry=False)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; smaller versions are made later", exc_info=True)


def derive_media(*, pk: UUID) -> int:
    """Makes whatever smaller versions the picture lacks, its placeholder too. Returns how many files were made.

    May be called again at any moment, by several at once: rows come last and all together, and who comes too late
    removes the files that it wrote. Raises OSError when the storage does.
    """
    media = Media.objects.filter(pk=pk, derived=Media.Derived.WAITING).first()
    if media is None:
        return 0
    made: list[Rendition] = []
    try:
        with media.file.open("rb") as stored:
            data = stored.read()
        media.blur = _draw(media, data, made)
    except (FileNotFoundError, _NotAPicture) as error:
        log.warning("no smaller versions of %s: %s", pk, error)
        _remove(made)
        Media.objects.filter(pk=pk).update(derived=Media.Derived.FAILED)
        return 0
    except BaseException:
        _remove(made)
        raise
    return len(made) if _keep(media, made) else 0


class _NotAPicture(Exception):  # noqa: N818 (a finding)
    """The stored file cannot be read as a picture, today or tomorrow."""


def _draw(media: Media, data: bytes, made: list[Rendition]) -> str:
    """Writes each file that is missing, noted in `made` as soon as it is there. Returns the placeholder."""
    present = set(media.renditions.values_list("kind", flat=True))
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _NotAPicture(str(error)) from error
    for kind, smaller, size in renditions.ladder(image, present):
        rendition = Rendition(media=media, kind=kind, width=size[0], height=size[1])
        made.append(rendition)
        ending = "avif" if kind.startswith("avif") else "webp"
        rendition.file.save(f"{kind}.{ending}", ContentFile(smaller), save=False)
    return renditions.blur(image)


def _keep(media: Media, made: list[Rendition]) -> bool:
    """Whether the rows are written: not when the picture has gone meanwhile, or another worker was quicker."""
    try:
        with transaction.atomic():
            waiting = Media.objects.filter(pk=media.pk, derived=Media.Derived.WAITING)
            is_first = bool(waiting.update(derived=Media.Derived.DONE, blur=media.blur))
            if is_first:
                Rendition.objects.bulk_create(made)
    except BaseException:
        _remove(made)
        raise
    if not is_first:
        _remove(made)
    return is_first


def _remove(made: list[Rendition]) -> None:
    for rendition in made:
        if rendition.file.name:
            rendition.file.storage.delete(rendition.file.name)


def derive_missing(*, seconds: float, again: bool = False) -> int:
    """Makes what is missing, newest pictures first, for about so long. Returns how many pictures wait no longer.

    `again`: those that failed, too.
    """
    if again:
        Media.objects.kept().filter(derived=Media.Derived.FAILED).update(derived=Media.Derived.WAITING)
    waiting = Media.objects.kept().filter(derived=Media.Derived.WAITING).order_by("-created")
    until, dealt = monotonic() + seconds, 0
    for pk in list(waiting.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        if monotonic() > until:
            break
        try:
            derive_media(pk=pk)
            dealt += 1
        except OSError:
            log.warning("smaller versions of %s have to wait", pk, exc_info=True)
    return dealt
