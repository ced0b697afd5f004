"""Bringing pictures: an upload is begun, its files arrive in pieces that can go on after any interruption."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError

from accounts.api.asking import BINARY, Asked, Once, asked, team_of
from accounts.services import once
from gallery import services
from gallery.models import Upload, UploadedFile

router = Router(tags=["uploads"])
TOO_LARGE = 413


class UploadIn(Asked):
    """What is said of all files of an upload."""

    whose: Literal["own", "client", "licensed", "generated", "public"] = Field(description="whose pictures they are")
    rights_note: str = Field("", max_length=300, description="licence or source, in plain words")
    metadata: Literal["strip", "no-place", "keep"] = "strip"
    visibility: Literal["private", "team", "published"] = "team"
    keeps_duplicates: bool = False
    team: UUID | None = Field(None, description="without it: the personal team of a key, the current one of a page")


class FileIn(Asked):
    """A file that will arrive."""

    name: str = Field(min_length=1, max_length=1000)
    size: int = Field(ge=1)


class FinishIn(Asked):
    """The end of a file."""

    sha256: str = Field("", pattern=r"^([0-9a-fA-F]{64})?$", description="of the whole file; compared, if it is given")


class FileOut(Schema):
    """One file: how much of it has arrived, and how it ended."""

    id: UUID
    archive: UUID | None = Field(description="the zip that it lay in")
    name: str
    size: int
    received: int
    state: str
    reason: str
    notes: list[str]
    is_duplicate: bool
    media: UUID | None

    @classmethod
    def of(cls, file: UploadedFile) -> "FileOut":
        """A row as clients see it."""
        plain = ("id", "name", "size", "received", "state", "reason", "notes", "is_duplicate")
        title = str(file.media)[:200] if file.media else ""
        return cls(
            archive=file.archive_id, media=file.media_id, title=title, **{name: getattr(file, name) for name in plain}
        )


class UploadOut(Schema):
    """An upload with all its files."""

    id: UUID
    team: UUID
    created: datetime
    undone: datetime | None
    piece: int = Field(description="the most bytes of one PUT")
    files: list[FileOut]

    @classmethod
    def of(cls, upload: Upload) -> "UploadOut":
        """With its files in the order in which they came."""
        return cls(
            id=upload.pk,
            team=upload.team_id,
            created=upload.created,
            undone=upload.undone,
            piece=services.PIECE,
            files=[FileOut.of(file) for file in upload.files.all()],
        )


@router.post("/uploads", response=UploadOut, summary="Begin to bring pictures")
def begin(request: HttpRequest, wanted: UploadIn, idempotency_key: Once = None) -> UploadOut:
    """The statement of rights holds for every file, and is kept with each picture."""

    def make() -> str:
        said = wanted.dict(exclude={"team"})
        return str(services.begin_upload(user=request.user, team=team_of(request, wanted.team), **said).pk)

    made = once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return UploadOut.of(_own(request, UUID(made)))


@router.get("/uploads/{pk}", response=UploadOut, summary="An upload")
def upload(request: HttpRequest, pk: UUID) -> UploadOut:
    """How far each file is. For whoever began it."""
    return UploadOut.of(_own(request, pk))


@router.post("/uploads/{pk}/files", response=FileOut, summary="Announce a file")
def add(request: HttpRequest, pk: UUID, wanted: FileIn) -> FileOut:
    """The same name and size once more, while it is being sent, is the same file: `received` says where to go on."""
    file = services.add_file(user=request.user, upload=_own(request, pk), name=wanted.name, size=wanted.size)
    return FileOut.of(file)


@router.put(
    "/uploads/{pk}/files/{file}",
    response=FileOut,
    summary="Send the next bytes",
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {"schema": BINARY}}, "required": True}},
)
def send(request: HttpRequest, pk: UUID, file: UUID, offset: Annotated[int, Query(ge=0)]) -> FileOut:
    """The body is the bytes from `offset` on. 409 with `received` where another place is the next."""
    # Read only as far as a piece may go: never a body of any length.
    if int(request.headers.get("Content-Length") or 0) > services.PIECE:
        raise HttpError(TOO_LARGE, _("A piece has at most %(n)d bytes.") % {"n": services.PIECE})
    data = request.read(services.PIECE + 1)
    return FileOut.of(services.add_piece(user=request.user, file=_file(request, pk, file), offset=offset, data=data))


@router.post("/uploads/{pk}/files/{file}/finish", response=FileOut, summary="A file is complete")
def finish(request: HttpRequest, pk: UUID, file: UUID, wanted: FinishIn) -> FileOut:
    """A worker looks at it now: ask for the upload, or listen for `upload.changed`."""
    found = services.finish_file(user=request.user, file=_file(request, pk, file), sha256=wanted.sha256)
    return FileOut.of(found)


@router.post("/uploads/{pk}/undo", response=UploadOut, summary="Take an upload back")
def undo(request: HttpRequest, pk: UUID) -> UploadOut:
    """Its pictures go to the trash; what has not been looked at yet goes altogether."""
    found = _own(request, pk)
    services.undo_upload(user=request.user, upload=found)
    return UploadOut.of(found)


def _own(request: HttpRequest, pk: UUID) -> Upload:
    return get_object_or_404(Upload.objects.select_related("team"), pk=pk, owner=request.user)


def _file(request: HttpRequest, pk: UUID, file: UUID) -> UploadedFile:
    found = UploadedFile.objects.select_related("upload__team", "upload__owner")
    return get_object_or_404(found, pk=file, upload=pk, upload__owner=request.user)
