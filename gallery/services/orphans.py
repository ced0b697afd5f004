"""Files that no row names, and rows whose file is gone. Both are left by crashes, restores and people with a shell."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from gallery.models import Brand, BrandFont, Export, Media, Piece, Rendition

log = logging.getLogger(__name__)

# Folders without such shelves: few files, or none that stay.
_FLAT: dict[str, tuple[Callable[[], Iterable[str]], ...]] = {
    "brands": (
        lambda: Brand.objects.values_list("logo", flat=True),
        lambda: BrandFont.objects.values_list("file", flat=True),
    ),
    "exports": (lambda: Export.objects.values_list("file", flat=True),),
    "uploads": (lambda: Piece.objects.values_list("file", flat=True),),
}
TREES = ("originals", "renditions")  # each with 256 folders, named by the first two digits of the picture's id
MOST_AT_ONCE = 20  # pictures without a file; with more than that, and a tenth of all, the storage itself is in doubt


class StorageInDoubt(Exception):  # noqa: N818 (a decision, no malfunction)
    """So many files are missing that the storage is more likely to be the wrong one, or not there."""


@dataclass
class Orphans:
    """What was found. `files` have no row; `media` have lost their original; `renditions` are rows without a file."""

    files: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    renditions: list[Rendition] = field(default_factory=list)
    looked_at: int = 0  # pictures

    def __bool__(self) -> bool:
        return bool(self.files or self.media or self.renditions)


def find_orphans(*, older_than: float | None = None) -> Orphans:
    """Compares storage and rows, a 256th at a time. Files younger than `older_than` seconds are left out: their rows
    may be on the way. Works with any storage that can list."""
    age = settings.ORPHAN_SECONDS if older_than is None else older_than
    before = timezone.now() - timedelta(seconds=age)
    found = Orphans()
    for shelf in (f"{n:02x}" for n in range(256)):
        # Files first: what is added meanwhile has its row by the time that rows are read.
        files = {name for tree in TREES for name in _list(f"{tree}/{shelf}")}
        first, last = UUID(shelf + "0" * 30), UUID(shelf + "f" * 30)
        named: set[str] = set()
        for media in Media.objects.filter(pk__range=(first, last), created__lt=before).only("file", "job", "deleted"):
            found.looked_at += 1
            if not _is_there(media.file.name, files, named) and media.deleted is None:
                found.media.append(media)
        for rendition in Rendition.objects.filter(media__pk__range=(first, last), media__created__lt=before):
            if not _is_there(rendition.file.name, files, named):
                found.renditions.append(rendition)
        found.files += _unnamed(files - named, before)
    for folder, names in _FLAT.items():
        found.files += _unnamed(set(_list(folder)) - {name for rows in names for name in rows()}, before)
    return found


def remove_orphans(orphans: Orphans) -> None:
    """Deletes files without a row and renditions without a file; pictures without one go to the trash, from where they
    can be restored once their file is back. StorageInDoubt, before anything is touched, when too many are missing."""
    if len(orphans.media) > max(MOST_AT_ONCE, orphans.looked_at / 10):
        raise StorageInDoubt(
            f"{len(orphans.media)} of {orphans.looked_at} pictures have no file. Is this the right storage, and is it "
            "mounted? Nothing was changed."
        )
    for name in orphans.files:
        log.warning("removing %s: no picture has this file", name)
        default_storage.delete(name)
    for media in orphans.media:
        log.error("the file of picture %s is gone (%s): it goes to the trash", media.pk, media.file.name)
    Media.objects.kept().filter(pk__in=[media.pk for media in orphans.media]).update(deleted=timezone.now())
    Rendition.objects.filter(pk__in=[rendition.pk for rendition in orphans.renditions]).delete()
    made_again = {rendition.media_id for rendition in orphans.renditions}
    Media.objects.filter(pk__in=made_again).update(derived=Media.Derived.WAITING)


def _is_there(name: str | None, files: set[str], named: set[str]) -> bool:
    """Whether the file of a row is among `files`, or was added since they were listed; it is `named` now."""
    if not name:
        return True  # the row has never had one
    named.add(name)
    return name in files or default_storage.exists(name)


def _list(folder: str) -> Iterator[str]:
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever kept there
        return
    yield from (f"{folder}/{name}" for name in files)


def _unnamed(names: Iterable[str], before: datetime) -> list[str]:
    """Those that are old enough, and that no row has got meanwhile."""
    old = []
    for name in sorted(names):
        try:
            if default_storage.get_modified_time(name) < before and not _is_named(name):
                old.append(name)
        except FileNotFoundError:  # removed in this moment
            continue
    return old


def _is_named(name: str) -> bool:
    """By the id in it where there is one, since `file` has no index."""
    try:
        pk = UUID(name.rpartition("/")[2].partition(".")[0])
    except ValueError:
        return False
    return (
        Media.objects.filter(pk=pk, file=name).exists()
        or Rendition.objects.filter(media=pk, file=name).exists()
        or Brand.objects.filter(pk=pk, logo=name).exists()
        or BrandFont.objects.filter(pk=pk, file=name).exists()
        or Export.objects.filter(pk=pk, file=name).exists()
        or Piece.objects.filter(of=pk, file=name).exists()
    )
