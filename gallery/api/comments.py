"""What people say about a picture: threads one level deep, perhaps pinned to a point of it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status
from ninja.errors import ValidationError

from accounts.api.asking import Asked, Once, asked, checked, mistake
from accounts.api.me import PersonOut
from accounts.api.pages import NEXT, Cursor, Limit, cut
from accounts.services import once
from gallery import services
from gallery.api.media import seen
from gallery.forms import CommentForm
from gallery.models import Comment, Media

router = Router(tags=["comments"])


class CommentOut(Schema):
    """A remark, or an answer to one."""

    id: UUID
    media: UUID
    parent: UUID | None = Field(description="the comment that it answers")
    author: PersonOut | None
    text: str = Field(description="empty once it was deleted")
    x: float | None = Field(description="the point that it is pinned to: share of the width, from the left")
    y: float | None = Field(description="share of the height, from the top")
    mentions: list[PersonOut] = Field(description="whom it names with an @")
    created: datetime
    edited: datetime | None
    deleted: datetime | None = Field(description="one that was deleted is told while there are answers to it")
    resolved: datetime | None = Field(description="when the thread was dealt with")

    @classmethod
    def of(cls, comment: Comment) -> "CommentOut":
        """Told from a row with its author and mentions."""
        plain = ("id", "text", "x", "y", "created", "edited", "deleted", "resolved")
        return cls(
            **{name: getattr(comment, name) for name in plain},
            media=comment.media_id,
            parent=comment.parent_id,
            author=PersonOut.of(comment.author) if comment.author else None,
            mentions=[PersonOut.of(person) for person in comment.mentions.all()],
        )


class CommentsOut(Schema):
    """A page of comments in the order in which they were made."""

    items: list[CommentOut]
    next: str | None = Field(description=NEXT)


class CommentIn(Asked):
    """Something to say. A point has both of its numbers."""

    model_config = {"extra": "forbid"}

    text: str = Field(min_length=1, max_length=4000, description="@Name tells somebody who sees the picture")
    x: float | None = Field(None, ge=0, le=1)
    y: float | None = Field(None, ge=0, le=1)
    parent: UUID | None = Field(None, description="the comment that it answers; answers have no point")


class CommentChange(Asked):
    """What is to be otherwise; what is left out or null stays."""

    model_config = {"extra": "forbid"}

    text: str | None = Field(None, min_length=1, max_length=4000, description="of one's own comment")
    resolved: bool | None = Field(None, description="of a thread, by its first comment: dealt with or not")


@router.get("/media/{uuid:pk}/comments", response=CommentsOut, summary="Comments on a picture")
def comments(request: HttpRequest, pk: UUID, limit: Limit = 40, cursor: Cursor = None) -> CommentsOut:
    """All of it in one list; `parent` makes threads of it."""
    answered = Exists(Comment.objects.filter(parent=OuterRef("pk"), deleted=None))
    told = Comment.objects.filter(Q(deleted=None) | answered, media=seen(request, pk))
    found = told.select_related("author").prefetch_related("mentions")
    rows, following = cut(found, "created", cursor=cursor, limit=limit, descending=False)
    return CommentsOut(items=[CommentOut.of(row) for row in rows], next=following)


@router.post("/media/{uuid:pk}/comments", response={201: CommentOut}, summary="Comment on a picture")
def create(
    request: HttpRequest, response: HttpResponse, pk: UUID, wanted: CommentIn, idempotency_key: Once = None
) -> Status:
    """At a point, or in answer to somebody. Tells whom it concerns."""
    media = seen(request, pk)

    def make() -> str:
        said = checked(CommentForm(wanted.dict()))
        parent = media.comments.filter(pk=said["parent"]).first() if said["parent"] else None
        if said["parent"] and parent is None:
            raise ValidationError([mistake(_("This picture has no such comment."), "parent")])
        return str(services.add_comment(user=request.user, media=media, **said | {"parent": parent}).pk)

    made = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    response["Location"] = reverse("api:comment", args=[made])
    return Status(201, CommentOut.of(_seen(request, made)))


@router.get("/comments/{uuid:pk}", response=CommentOut, summary="One comment", url_name="comment")
def comment(request: HttpRequest, pk: UUID) -> CommentOut:
    """While one may see its picture."""
    return CommentOut.of(_seen(request, pk))


@router.patch("/comments/{uuid:pk}", response=CommentOut, summary="Change a comment")
@transaction.atomic
def change(request: HttpRequest, pk: UUID, wanted: CommentChange) -> CommentOut:
    """Other words for one's own; a thread dealt with, or open again, for all who may comment."""
    found = _seen(request, pk)
    if wanted.text is not None:
        text = checked(CommentForm({"text": wanted.text}))["text"]
        services.edit_comment(user=request.user, comment=found, text=text)
    if wanted.resolved is not None:
        services.resolve_comment(user=request.user, comment=found, resolved=wanted.resolved)
    return CommentOut.of(_seen(request, pk))


@router.delete("/comments/{uuid:pk}", response={204: None}, summary="Delete a comment")
def delete(request: HttpRequest, pk: UUID) -> Status:
    """One's own, or as a curator anybody's. Answers to it stay."""
    services.delete_comment(user=request.user, comment=_seen(request, pk))
    return Status(204, None)


def _seen(request: HttpRequest, pk: UUID) -> Comment:
    """A comment that is not deleted, on a picture that the caller may see; else 404."""
    found = Comment.objects.select_related("author", "media__team").filter(deleted=None)
    return get_object_or_404(found, media__in=Media.objects.visible_to(request.user), pk=pk)
