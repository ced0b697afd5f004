"""Bringing pictures, as people do it: an upload is begun, its files arrive in pieces, and a worker looks at each.

The web process never decodes anything of them: it stores pieces of bytes, and counts.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action, Role
from gallery.models import Media, Piece, Upload, UploadedFile
from gallery.models.errand import State
from gallery.services import delivery
from gallery.services.pictures import trash_media
from gallery.services.refused import Refused

MB, GB = 1024**2, 1024**3
PIECE = 4 * MB  # the largest piece that is taken at once
ARCHIVE_FACTOR = 10  # times as large as a picture that a zip may be
FORGOTTEN = timedelta(hours=24)  # after which pieces of a file that was never finished go
PER_DAY = {Role.CREATOR: (1000, 5 * GB), Role.MANAGER: (5000, 20 * GB), Role.OWNER: (5000, 20 * GB)}  # files, bytes


class OutOfStep(Exception):  # noqa: N818 (an answer, no malfunction)
    """A piece that does not begin where the last one ended. `received`: where the next one has to."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


def begin_upload(*, user: User, team: Team, whose: str, **said: Any) -> Upload:
    """An upload without files yet. `whose`: the statement of rights, without which nothing is taken."""
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    return Upload.objects.create(team=team, owner=user, whose=Upload.Whose(whose), **said)


def add_file(*, user: User, upload: Upload, name: str, size: int) -> UploadedFile:
    """A file that will arrive. The same one again, after a reload, is the one that is there, with what has arrived."""
    _check_own(user, upload)
    name = name.replace("\\", "/").strip()[-300:] or "picture"
    there = upload.files.filter(name=name, size=size, archive=None, state=State.RECEIVING).first()
    if there is not None:
        return there
    most = file_limit(name)
    if size > most:
        raise Refused(_("“%(name)s” is larger than %(most)d MB.") % {"name": name, "most": most // MB})
    if size < 1:
        raise Refused(_("“%(name)s” is empty.") % {"name": name})
    _check_day(user, upload.team, size)
    return UploadedFile.objects.create(upload=upload, name=name, size=size, state=State.RECEIVING)


def file_limit(name: str) -> int:
    """Bytes that a file of this name may have."""
    is_archive = name.lower().endswith(".zip")
    return settings.IMPORT_FILE_MB * MB * (ARCHIVE_FACTOR if is_archive else 1)


def _check_day(user: User, team: Team, size: int) -> None:
    since = timezone.now() - timedelta(days=1)
    of_team = UploadedFile.objects.filter(upload__team=team, upload__created__gte=since, archive=None)
    files, most = PER_DAY[_role(user, team)]
    own = of_team.filter(upload__owner=user)
    if own.count() >= files or _bytes(own) + size > most:
        raise Refused(_("That is more than one person may bring in a day. Go on tomorrow, or ask an administrator."))
    if _bytes(of_team) + size > settings.IMPORT_TEAM_GB_PER_DAY * GB:
        raise Refused(_("That is more than a team may bring in a day. Go on tomorrow, or ask an administrator."))


def _role(user: User, team: Team) -> Role:
    held = team.memberships.filter(user=user).values_list("role", flat=True).first()
    return Role(held) if held in PER_DAY else Role.CREATOR


def _bytes(files) -> int:
    return files.aggregate(n=Sum("size"))["n"] or 0


def add_piece(*, user: User, file: UploadedFile, offset: int, data: bytes) -> UploadedFile:
    """Stores the next bytes. OutOfStep for others: a piece that arrived although its answer was lost."""
    _check_own(user, file.upload)
    if file.state != State.RECEIVING or offset != file.received:
        raise OutOfStep(file.received)
    if len(data) > PIECE or offset + len(data) > file.size:
        raise Refused(_("There are more bytes than were announced."))
    piece = Piece(of=file, offset=offset, size=len(data))
    piece.file.save("piece", ContentFile(data), save=False)
    try:
        with transaction.atomic():
            piece.save()
            rows = UploadedFile.objects.filter(pk=file.pk, received=offset, state=State.RECEIVING)
            if not rows.update(received=offset + len(data)):
                raise IntegrityError
    except IntegrityError as error:  # the same piece, twice at once
        file.refresh_from_db()
        if not Piece.objects.filter(file=piece.file.name).exists():
            piece.file.storage.delete(str(piece.file.name))
        raise OutOfStep(file.received) from error
    file.received = offset + len(data)
    return file


def finish_file(*, user: User, file: UploadedFile, sha256: str = "") -> UploadedFile:
    """All has arrived: a worker may look at it. `sha256`, where the sender knows it, is compared."""
    _check_own(user, file.upload)
    if file.state == State.RECEIVING and file.received != file.size:
        raise OutOfStep(file.received)
    with transaction.atomic():
        rows = UploadedFile.objects.filter(pk=file.pk, state=State.RECEIVING, received=file.size)
        if rows.update(state=State.QUEUED, queued=timezone.now(), sha256=sha256.lower()[:64]):
            delivery.wake()
    file.refresh_from_db()
    return file


def undo_upload(*, user: User, upload: Upload) -> int:
    """Takes back what came in: its pictures go to the trash, and nothing of it goes on. Returns how many went."""
    if upload.owner_id != user.pk:
        raise PermissionDenied
    Upload.objects.filter(pk=upload.pk, undone=None).update(undone=timezone.now())
    upload.refresh_from_db()
    open_ = upload.files.filter(state__in=[State.RECEIVING, State.QUEUED])
    stopped = list(open_.values_list("pk", flat=True))
    open_.update(state=State.FAILED, reason=_("Taken back."))
    remove_pieces(Piece.objects.filter(of__in=stopped))
    gone = 0
    brought = Media.objects.filter(uploaded__upload=upload, uploaded__is_duplicate=False)
    for media in Media.objects.editable_by(user).kept().filter(pk__in=brought.values("pk")):
        trash_media(user=user, media=media)
        gone += 1
    return gone


def known_picture(*, user: User, team: Team, sha256: str) -> Media | None:
    """A picture of the team with this very content, brought or made here, that `user` may see."""
    brought = Q(uploaded__sha256=sha256, uploaded__upload__team=team)
    seen = Media.objects.visible_to(user).kept().filter(team=team)
    return seen.filter(brought | Q(sha256=sha256)).order_by("created").first()


def remove_pieces(pieces) -> None:
    """Rows and files of what nobody needs any more."""
    for piece in list(pieces):
        piece.file.storage.delete(str(piece.file.name))
        piece.delete()


def purge_uploads() -> int:
    """Ends files that stopped arriving a day ago, and removes their pieces. Returns how many there were."""
    stale = UploadedFile.objects.filter(state=State.RECEIVING, queued__lt=timezone.now() - FORGOTTEN)
    ids: list[UUID] = list(stale.values_list("pk", flat=True))
    stale.update(state=State.FAILED, reason=_("It never arrived as a whole."))
    remove_pieces(Piece.objects.filter(of__in=ids))
    return len(ids)


def _check_own(user: User, upload: Upload) -> None:
    if upload.owner_id != user.pk or not can(user, Action.CREATE, upload.team):
        raise PermissionDenied
    if upload.undone:
        raise Refused(_("This import was taken back. Begin another one."))
