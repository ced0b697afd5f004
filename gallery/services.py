"""Add, trash, restore, like: the only writers of pictures. Keyword-only; PermissionDenied for those who may not."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from PIL import Image

from accounts.live import publish, team_group
from accounts.models import Team, User
from gallery import renditions
from gallery.models import Like, Media, Rendition

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """A picture that is to be kept. `recipe` is plain JSON; `frames` are small pictures of how it emerged."""

    image: Image.Image
    recipe: dict[str, Any]
    team: Team
    owner: User
    visibility: str = Media.Visibility.TEAM
    frames: list[Image.Image] = field(default_factory=list)
    job: UUID | None = None
    index: int = 0


def add_media(*, items: list[NewMedia], then: Callable[[], None] = lambda: None) -> list[Media]:
    """Keeps pictures: first every file, durably, then all rows and `then()` in one transaction.

    Whatever `then` or the database raises undoes all of it, files included, and is raised again.
    """
    drafts: list[tuple[Media, list[Rendition]]] = []
    try:
        for item in items:
            drafts.append(_write_files(item))
        with transaction.atomic():
            for media, derived in drafts:
                media.save(force_insert=True)
                Rendition.objects.bulk_create(derived)
            then()
    except BaseException:
        for media, derived in drafts:
            _remove_files(media, derived)
        raise
    return [media for media, _derived in drafts]


def _write_files(item: NewMedia) -> tuple[Media, list[Rendition]]:
    recipe = item.recipe
    data = renditions.png_with_recipe(item.image, recipe)
    media = Media(
        team=item.team,
        owner=item.owner,
        visibility=item.visibility,
        job=item.job,
        index=item.index,
        width=item.image.width,
        height=item.image.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        recipe=recipe,
        **{
            column: recipe[column]
            for column in ("prompt", "checkpoint", "style", "format", "scheduler", "seed", "steps", "guidance")
            if column in recipe
        },
    )
    derived: list[Rendition] = []
    try:
        media.file.save("original.png", ContentFile(data), save=False)
        derived.append(_derive(media, Rendition.Kind.TILE, *renditions.tile(item.image)))
        if item.frames:
            sprite = renditions.filmstrip(item.frames, item.image)
            derived.append(_derive(media, Rendition.Kind.FILMSTRIP, *sprite, frames=len(item.frames)))
    except BaseException:
        _remove_files(media, derived)
        raise
    return media, derived


def _derive(media: Media, kind: str, data: bytes, size: tuple[int, int], frames: int = 1) -> Rendition:
    rendition = Rendition(media=media, kind=kind, width=size[0], height=size[1], frames=frames)
    rendition.file.save(f"{kind}.webp", ContentFile(data), save=False)
    return rendition


def _remove_files(media: Media, derived: list[Rendition]) -> None:
    for file in (media.file, *(rendition.file for rendition in derived)):
        if file.name:
            try:
                file.storage.delete(file.name)
            except OSError:
                log.warning("could not remove %s", file.name, exc_info=True)


def trash_media(*, user: User, media: Media) -> None:
    """Into the trash, from where it can be restored until the retention is over."""
    _change(user, media, deleted=timezone.now())


def restore_media(*, user: User, media: Media) -> None:
    """Back from the trash."""
    _change(user, media, deleted=None)


def set_visibility(*, user: User, media: Media, visibility: str) -> None:
    """Who may see it from now on. ValueError for a word that is none."""
    _change(user, media, visibility=Media.Visibility(visibility))


def _change(user: User, media: Media, **fields: Any) -> None:
    with transaction.atomic():
        rows = Media.objects.all() if user.is_superuser else Media.objects.editable_by(user)
        if not rows.filter(pk=media.pk).update(**fields):
            raise PermissionDenied
        kind = "media.removed" if fields.get("deleted") else "media.changed"
        if media.visibility != Media.Visibility.PRIVATE:
            transaction.on_commit(
                lambda: publish([team_group(media.team_id)], {"type": kind, "media": [str(media.pk)]})
            )
    media.refresh_from_db()


def like_media(*, user: User, media: Media, liked: bool) -> None:
    """Sets or takes back one's like of a picture that one can see."""
    if not Media.objects.visible_to(user).filter(pk=media.pk).exists():
        raise PermissionDenied
    if liked:
        Like.objects.get_or_create(media=media, user=user)
    else:
        Like.objects.filter(media=media, user=user).delete()


def purge_trash() -> int:
    """Deletes for good what has been in the trash longer than the retention. Returns how many pictures went."""
    before = timezone.now() - timedelta(days=settings.TRASH_RETENTION_DAYS)
    gone = 0
    for media in Media.objects.filter(deleted__lt=before).prefetch_related("renditions"):
        derived = list(media.renditions.all())
        with transaction.atomic():
            media.delete()
        _remove_files(media, derived)
        gone += 1
    return gone
