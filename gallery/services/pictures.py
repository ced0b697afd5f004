"""Pictures: add, trash, restore, like."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from PIL import Image

from accounts.live import publish, team_group
from accounts.models import Team, User
from gallery import renditions
from gallery.models import Like, Media, Rendition
from gallery.services.deriving import ask_to_derive
from gallery.services.finding import count_opinions, dominant
from gallery.services.meaning import ask_to_understand

log = logging.getLogger(__name__)

# What of a recipe has a column of its own, to be searched by.
COLUMNS = ("way", "prompt", "checkpoint", "style", "format", "scheduler", "seed", "steps", "guidance")

PURGED_AT_ONCE = 500
PATIENCE = 5.0  # seconds that a page waits for files to go

# A disk waits for its own journal, a bucket for the network: many files take hardly longer than one.
_writers = ThreadPoolExecutor(8, thread_name_prefix="writer")


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """A picture that is to be kept. `recipe` is plain JSON; `frames` are small pictures of how it emerged.

    `made_from` is the id of the picture that it was made of: one that has gone for good meanwhile is left out.
    """

    image: Image.Image
    recipe: dict[str, Any]
    team: Team
    owner: User
    visibility: str = Media.Visibility.TEAM
    frames: list[Image.Image] = field(default_factory=list)
    job: UUID | None = None
    index: int = 0
    title: str = ""
    made_from: UUID | None = None


@dataclass(frozen=True)
class Draft:
    """A picture whose files are, once `writes` are done, safe in storage, and whose rows are not written yet."""

    media: Media
    derived: list[Rendition]
    writes: list[Callable[[], None]]  # one a file


def add_media(*, items: list[NewMedia], then: Callable[[], None] = lambda: None) -> list[Media]:
    """Keeps pictures: first every file, durably, then all rows and `then()` in one transaction.

    Whatever `then` or the database raises undoes all of it, files included, and is raised again.
    """
    drafts = draft_media(items=items)
    try:
        return keep_drafts(drafts=drafts, then=then)
    except BaseException:
        drop_drafts(drafts=drafts)
        raise


def draft_media(*, items: list[NewMedia]) -> list[Draft]:
    """Writes every file, durably. Whatever a storage raises undoes that and is raised again."""
    drafts = [_draft(item) for item in items]
    writing = [_writers.submit(write) for draft in drafts for write in draft.writes]
    wait(writing)
    try:
        for written in writing:
            written.result()
    except BaseException:
        drop_drafts(drafts=drafts)
        raise
    return drafts


def keep_drafts(*, drafts: list[Draft], then: Callable[[], None] = lambda: None) -> list[Media]:
    """All rows and `then()` in one transaction. The files stay as they are when it fails: see are_kept."""
    with transaction.atomic():
        _forget_lost_origins(drafts)
        for draft in drafts:
            draft.media.save(force_insert=True)
            Rendition.objects.bulk_create(draft.derived)
        then()
        ask_to_derive([draft.media.pk for draft in drafts])
        ask_to_understand([draft.media.pk for draft in drafts if draft.media.prompt])
    return [draft.media for draft in drafts]


def _forget_lost_origins(drafts: list[Draft]) -> None:
    """What a picture was made from may have been deleted for good meanwhile; the rest is held until the commit."""
    wanted = {draft.media.made_from_id for draft in drafts if draft.media.made_from_id is not None}
    if not wanted:
        return
    held = Media.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    kept = set(held.values_list("pk", flat=True))
    for draft in drafts:
        if draft.media.made_from_id not in kept:
            draft.media.made_from_id = None


def are_kept(*, drafts: list[Draft]) -> bool:
    """Whether the rows are there: a commit may have come through although its answer was lost with the connection."""
    return Media.objects.filter(pk__in=[draft.media.pk for draft in drafts]).exists()


def drop_drafts(*, drafts: list[Draft]) -> None:
    """Removes the files of what is not to be kept."""
    for draft in drafts:
        _remove(_files(draft.media, draft.derived))


def _draft(item: NewMedia) -> Draft:
    recipe = item.recipe
    data = renditions.png_with_recipe(item.image, recipe)
    media = Media(
        team=item.team,
        owner=item.owner,
        visibility=item.visibility,
        job=item.job,
        index=item.index,
        title=item.title,
        colours=dominant(item.image),
        made_from_id=item.made_from,
        width=item.image.width,
        height=item.image.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        blur=renditions.blur(item.image),
        recipe=recipe,
        **{column: recipe[column] for column in COLUMNS if column in recipe},
    )
    draft = Draft(media, [], [partial(media.file.save, "original.png", ContentFile(data), save=False)])
    _derive(draft, Rendition.Kind.TILE, *renditions.tile(item.image))
    if item.frames:
        _derive(draft, Rendition.Kind.FILMSTRIP, *renditions.filmstrip(item.frames, item.image), len(item.frames))
    return draft


def _derive(draft: Draft, kind: str, data: bytes, size: tuple[int, int], frames: int = 1) -> None:
    rendition = Rendition(media=draft.media, kind=kind, width=size[0], height=size[1], frames=frames)
    draft.derived.append(rendition)
    draft.writes.append(partial(rendition.file.save, f"{kind}.webp", ContentFile(data), save=False))


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
            transaction.on_commit(partial(tell_team, media.team_id, kind, [media.pk]))
        elif fields.get("visibility"):
            transaction.on_commit(partial(tell_team, media.team_id, "media.added", [media.pk]))
    media.refresh_from_db()


def tell_team(team_id: object, kind: str, media: Iterable[UUID]) -> None:
    """Has open pages of the team's members show what became of pictures."""
    publish([team_group(team_id)], {"type": kind, "media": [str(pk) for pk in media], "team": str(team_id)})


@transaction.atomic
def like_media(*, user: User, media: Media, liked: bool) -> None:
    """Sets or takes back one's like of a picture that one can see."""
    if not Media.objects.visible_to(user).filter(pk=media.pk).exists():
        raise PermissionDenied
    if liked:
        Like.objects.get_or_create(media=media, user=user)
    else:
        Like.objects.filter(media=media, user=user).delete()
    count_opinions(pictures=Media.objects.filter(pk=media.pk))


def purge_trash() -> int:
    """Deletes for good what has been in the trash longer than the retention. Returns how many pictures went."""
    before = timezone.now() - timedelta(days=settings.TRASH_RETENTION_DAYS)
    gone = 0
    while found := purge(Media.objects.filter(deleted__lt=before).order_by("deleted")[:PURGED_AT_ONCE]):
        gone += len(found)
    return gone


def purge(rows: QuerySet[Media]) -> list[UUID]:
    """Deletes pictures for good: their rows now, their files once those are gone. Returns whose."""
    with transaction.atomic():
        found = list(rows.prefetch_related("renditions"))
        names = [file for media in found for file in _files(media, media.renditions.all())]
        Media.objects.filter(pk__in=[media.pk for media in found]).delete()
        transaction.on_commit(lambda: _remove(names))
    return [media.pk for media in found]


def _files(media: Media, derived: Iterable[Rendition]) -> list[tuple[Storage, str]]:
    """Where each file of a picture is kept."""
    files = (media.file, *(rendition.file for rendition in derived))
    return [(file.storage, file.name) for file in files if file.name]


def _remove(files: list[tuple[Storage, str]]) -> None:
    """Many at once, since a bucket takes its time for each; what takes longer than somebody would wait goes on behind.
    What cannot be removed is found as an orphan later."""
    wait([_writers.submit(_remove_one, storage, name) for storage, name in files], timeout=PATIENCE)


def _remove_one(storage: Storage, name: str) -> None:
    try:
        storage.delete(name)
    except OSError:
        log.warning("could not remove %s", name, exc_info=True)
