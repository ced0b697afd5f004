"""What people say about a picture, and how they sort it. Each answers with its fragment, or leads back to the page."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.forms import CommentForm
from gallery.models import Comment, Media


def conversation(media: Media, viewer) -> dict[str, object]:
    """What the comments' fragment needs: threads in order with their pins numbered, and what this person may do."""
    everything = list(media.comments.select_related("author").order_by("created", "id"))
    answers: dict[UUID, list[Comment]] = {}
    for comment in everything:
        if comment.parent_id and not comment.deleted:
            answers.setdefault(comment.parent_id, []).append(comment)
    threads = []
    for comment in everything:
        if comment.parent_id or (comment.deleted and comment.pk not in answers):
            continue
        number = sum(1 for thread in threads if thread["number"]) + 1 if comment.is_pinned else 0
        threads.append({"comment": comment, "answers": answers.get(comment.pk, []), "number": number})
    may_comment = Media.objects.commentable_by(viewer).filter(pk=media.pk).exists()
    return {
        "media": media,
        "threads": threads,
        "spoken": sum(1 for comment in everything if not comment.deleted),
        "may_comment": may_comment,
        "may_curate": can(viewer, Action.CURATE, media.team_id),
        "names": [str(person) for person in services.people_to_mention(media)] if may_comment else [],
    }


@login_required
@require_safe
def comments(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The conversation as it is now."""
    return _answer(request, _visible(request, pk))


@login_required
@require_POST
def comment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Says something, at a point or in answer to somebody."""
    media = _visible(request, pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _answer(request, media, error=" ".join(form.all_errors()), draft=request.POST.get("text", ""))
    wanted = form.cleaned_data
    parent = get_object_or_404(media.comments, pk=wanted["parent"]) if wanted["parent"] else None
    try:
        services.add_comment(
            user=request.user, media=media, text=wanted["text"], x=wanted["x"], y=wanted["y"], parent=parent
        )
    except services.Refused as refusal:
        return _answer(request, media, error=str(refusal), draft=wanted["text"])
    return _answer(request, media)


@login_required
@require_POST
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Other words for one's own comment."""
    found = _comment(request, pk)
    try:
        services.edit_comment(user=request.user, comment=found, text=request.POST.get("text", "")[:4000])
    except services.Refused as refusal:
        return _answer(request, found.media, error=str(refusal))
    return _answer(request, found.media)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes a comment back."""
    found = _comment(request, pk)
    services.delete_comment(user=request.user, comment=found)
    return _answer(request, found.media)


@login_required
@require_POST
def resolve(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A thread is dealt with (resolved=1), or is not after all (0)."""
    found = _comment(request, pk)
    services.resolve_comment(user=request.user, comment=found, resolved=request.POST.get("resolved") == "1")
    return _answer(request, found.media)


@login_required
@require_POST
def rate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One to five stars; the number one gave already takes them back."""
    media = _visible(request, pk)
    stars = request.POST.get("stars", "")
    if stars not in {"0", "1", "2", "3", "4", "5"}:
        return HttpResponseBadRequest(_("Give one to five stars, or none."))
    services.rate_media(user=request.user, media=media, stars=int(stars))
    return _sorted(request, media)


@login_required
@require_POST
def title(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another title; an empty one leaves the picture to its prompt."""
    media = _visible(request, pk)
    services.set_title(user=request.user, media=media, title=request.POST.get("title", ""))
    return _sorted(request, media)


@login_required
@require_POST
def tags(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All of the picture's tags, by commas."""
    media = _visible(request, pk)
    try:
        services.set_tags(user=request.user, media=media, words=request.POST.get("tags", "")[:2000].split(","))
    except services.Refused as refusal:
        return _sorted(request, media, error=str(refusal))
    return _sorted(request, media)


def sorting(media: Media, viewer) -> dict[str, object]:
    """What the fragment with title, tags and stars needs."""
    given = list(media.ratings.values_list("user", "stars"))
    return {
        "media": media,
        "words": [tag.name for tag in media.tags.all()],
        "own_stars": dict(given).get(viewer.pk, 0),
        "stars": round(sum(stars for _user, stars in given) / len(given), 1) if given else None,
        "raters": len(given),
        "scale": range(1, 6),
        "may_sort": can(viewer, Action.COMMENT, media.team_id)
        and Media.objects.visible_to(viewer).filter(pk=media.pk).exists(),
        "may_rate": Media.objects.commentable_by(viewer).filter(pk=media.pk).exists(),
        "may_title": Media.objects.editable_by(viewer).filter(pk=media.pk).exists(),
    }


def _sorted(request: HttpRequest, media: Media, error: str = "") -> HttpResponse:
    if request.htmx:
        return render(request, "gallery/_sorting.html", {**sorting(media, request.user), "error": error})
    if error:
        messages.error(request, error)
    return redirect(media)


def _answer(request: HttpRequest, media: Media, error: str = "", draft: str = "") -> HttpResponse:
    if request.htmx:
        context = {**conversation(media, request.user), "error": error, "draft": draft}
        return render(request, "gallery/_comments.html", context)
    if error:
        messages.error(request, error)
    return redirect(f"{media.get_absolute_url()}#comments")


def _visible(request: HttpRequest, pk: UUID) -> Media:
    return get_object_or_404(Media.objects.visible_to(request.user), pk=pk)


def _comment(request: HttpRequest, pk: UUID) -> Comment:
    seen = Media.objects.visible_to(request.user)
    return get_object_or_404(Comment.objects.select_related("media").filter(media__in=seen, deleted=None), pk=pk)
