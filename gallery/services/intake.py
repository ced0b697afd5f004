"""Looking at what was uploaded and keeping what is good. Runs in a worker; files are decoded apart: gallery.intake."""

import hashlib
import logging
import tempfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.live import publish, team_group, user_group
from gallery.intake.apart import Found, read_apart
from gallery.intake.archives import Entry, entries, open_archive, unpack
from gallery.intake.history.found import plain
from gallery.intake.unfit import Unfit
from gallery.intake_words import note_in_words, reason_in_words
from gallery.models import Media, Upload, UploadedFile
from gallery.models.errand import State
from gallery.services.pictures import NewMedia, draft_media, drop_drafts, keep_drafts
from gallery.services.uploads import MB, known_picture, remove_pieces

log = logging.getLogger(__name__)

PIECE = 1 << 20
ZIP_START = b"PK\x03\x04"


class Gone(Exception):  # noqa: N818 (nobody's fault)
    """The file is another worker's by now, or was taken back."""


def take_in(file: UploadedFile) -> None:
    """Takes a claimed file to its end: DONE with its picture (a zip: with its files), or FAILED with the reason."""
    try:
        if file.is_hopeless:
            raise Unfit("crash")
        with tempfile.NamedTemporaryFile() as local:
            _gather(file, local)
            path = Path(local.name)
            with path.open("rb") as start:
                is_archive = start.read(4) == ZIP_START
            if is_archive:
                _take_archive(file, path)
            else:
                _take_one(file, path, file.name, file.sha256)
    except Gone:
        log.info("uploaded file %s is nobody's any more", file.pk)
        return
    except Unfit as unfit:
        file.end(State.FAILED, reason=reason_in_words(unfit.code, unfit.facts))
    except Exception:
        log.exception("uploaded file %s could not be taken in", file.pk)
        file.end(
            State.FAILED, reason=_("It could not be taken in. Try again; if it fails again, tell an administrator.")
        )
    remove_pieces(file.pieces.all())
    tell(file)


def _gather(file: UploadedFile, local: IO[bytes]) -> None:
    """All pieces, one after the other, into a file of this machine; checked against what was said of them."""
    digest, size = hashlib.sha256(), 0
    for piece in file.pieces.order_by("offset"):
        if piece.offset != size:
            raise Unfit("cut-off")
        with piece.file.open("rb") as stored:
            while data := stored.read(PIECE):
                digest.update(data)
                local.write(data)
                size += len(data)
    local.flush()
    found = digest.hexdigest()
    if size != file.size or (file.sha256 and file.sha256 != found):
        raise Unfit("damaged")
    file.sha256 = found


def _take_one(file: UploadedFile, path: Path, name: str, sha256: str) -> None:
    """A single picture: looked up, decoded, kept."""
    upload = file.upload
    known = None if upload.keeps_duplicates else known_picture(user=upload.owner, team=upload.team, sha256=sha256)
    if known is not None:
        if not file.end(State.DONE, media=known, is_duplicate=True, sha256=sha256, notes=[note_in_words("known")]):
            raise Gone
        return
    found = read_apart(path, name)
    notes = [note_in_words(code) for code in found.notes]
    if found.history:
        notes.append(note_in_words("history", {"program": found.history["read_from"]}))
    item = NewMedia(
        image=found.image,
        recipe=recipe_of(upload, found, name, path, sha256),
        team=upload.team,
        owner=upload.owner,
        visibility=upload.visibility,
        title=_title(name, found),
    )

    drafts = draft_media(items=[item])
    media = drafts[0].media

    def then() -> None:
        if not file.end(State.DONE, media=media, sha256=sha256, notes=notes) or _is_undone(upload):
            raise Gone

    try:
        keep_drafts(drafts=drafts, then=then)
    except BaseException:
        drop_drafts(drafts=drafts)
        raise
    if media.visibility != Media.Visibility.PRIVATE:
        event = {"type": "media.added", "media": [str(media.pk)], "job": "", "team": str(upload.team_id)}
        publish([team_group(upload.team_id)], event)


def _is_undone(upload: Upload) -> bool:
    return Upload.objects.filter(pk=upload.pk).exclude(undone=None).exists()


def recipe_of(upload: Upload, found: Found, name: str, path: Path, sha256: str) -> dict[str, Any]:
    """What is known of a picture that was brought: its history, whose it is, what it was."""
    recipe: dict[str, Any] = {"way": "import", **found.history}
    recipe |= {"width": found.image.width, "height": found.image.height}
    recipe["rights"] = {
        "whose": upload.whose,
        "label": str(upload.get_whose_display()),
        "note": upload.rights_note,
        "stated_by": str(upload.owner),
        "stated": timezone.now().isoformat(timespec="seconds"),
    }
    recipe["source"] = {"name": plain(name), "kind": found.kind, "bytes": path.stat().st_size, "sha256": sha256}
    if kept := _metadata(upload, found.exif):
        recipe["metadata"] = kept
    return recipe


def _metadata(upload: Upload, exif: dict[str, Any]) -> dict[str, Any]:
    if upload.metadata == Upload.Metadata.STRIP:
        return {}
    left = {key: plain(value) if isinstance(value, str) else value for key, value in exif.items()}
    if upload.metadata == Upload.Metadata.NO_PLACE:
        left.pop("place", None)
    return left


def _title(name: str, found: Found) -> str:
    """The file's name, unless its prompt says more."""
    return "" if found.history.get("prompt") else plain(Path(name).stem)[:200]


def _take_archive(file: UploadedFile, path: Path) -> None:
    """Each picture of a zip, as a file of its own beside it. One that was taken in before a worker was lost is left."""
    most = settings.IMPORT_FILE_MB * MB
    file.held.filter(state=State.RUNNING).delete()
    done = set(file.held.values_list("name", flat=True))
    total = 0
    with open_archive(path) as archive:
        for entry in entries(archive, most):
            if entry.name in done:
                continue
            if not file.hold() or _is_undone(file.upload):
                raise Gone
            total += _take_entry(file, archive, entry, most)
            if total > most * 40:
                raise Unfit("archive-bomb")
    held = file.held.count()
    if not held:
        raise Unfit("archive-empty")
    if not file.end(State.DONE, notes=[note_in_words("archive", {"n": held})]):
        raise Gone


def _take_entry(file: UploadedFile, archive: Any, entry: Entry, most: int) -> int:
    """One entry: a row of its own, RUNNING under the zip's lease, with its end. Returns how many bytes it had."""
    with tempfile.NamedTemporaryFile() as local:
        inner = UploadedFile.objects.create(
            upload=file.upload,
            archive=file,
            name=entry.name,
            size=entry.info.file_size,
            received=entry.info.file_size,
            state=State.RUNNING,
            lease=file.lease,
            seen=timezone.now(),
            attempts=1,
        )
        size = 0
        try:
            if entry.problem:
                raise Unfit(entry.problem, most=most // MB)
            size = unpack(archive, entry, local, most)
            path = Path(local.name)
            with path.open("rb") as stored:
                sha256 = hashlib.file_digest(stored, "sha256").hexdigest()
            _take_one(inner, path, entry.name, sha256)
        except Unfit as unfit:
            inner.end(State.FAILED, reason=reason_in_words(unfit.code, unfit.facts))
        tell(inner)
        return size


def tell(file: UploadedFile) -> None:
    """Lets its owner's pages know how it ended."""
    transaction.on_commit(lambda: _publish(file.upload, file))


def _publish(upload: Upload, file: UploadedFile) -> None:
    event = {"type": "upload.changed", "upload": str(upload.pk), "file": str(file.pk), "state": file.state}
    publish([user_group(upload.owner_id)], event)
