"""One picture, large, with all that is known about it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.models import Album, Media
from gallery.search import Search, Tab, ask, neighbours
from gallery.views.lineage import compare, lineage
from gallery.views.recipe import rows
from gallery.views.review import facts
from gallery.views.talk import conversation, sorting
from gallery.views.tiles import Tile, in_rows, tiles
from gallery.words import highlight

SHOWN = 20  # lines of what happened to the picture


@login_required
@require_safe
def picture(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The picture page. What is in the trash shows only to those who could restore it."""
    media = get_object_or_404(Media.objects.visible_to(request.user).select_related("owner", "team"), pk=pk)
    if media.deleted:
        get_object_or_404(Media.objects.editable_by(request.user), pk=pk)
    search = Search(request.GET)
    if not search.is_valid():
        raise Http404
    if not search.cleaned_data["tab"]:
        search.cleaned_data["tab"] = _home_tab(media, request)
    ask(search, request.user)
    before, behind = neighbours(search, request.user, request.team.pk, media)
    shown, *siblings = tiles([media, *_siblings(media, request.user)], request.user)
    line = lineage(media, request.user)
    context = {
        **conversation(media, request.user),
        **sorting(media, request.user),
        **facts(media, request.user),
        "lines": media.activity.select_related("actor", "album", "media")[:SHOWN],
        "albums": Album.objects.visible_to(request.user).filter(items__media=media),
        "is_draft": services.is_draft(media),
        "may_share": can(request.user, Action.SHARE, media.team_id) and media.visibility != Media.Visibility.PRIVATE,
        "tile": shown,
        "heading": highlight(str(media), search.wanted),
        "siblings": in_rows(siblings),
        "rows": rows(media),
        "lineage": line,
        "comparison": compare(line.ancestors[-1][0].media, media, request.user) if line.ancestors else None,
        "may_reuse": Media.objects.reusable_by(request.user, request.team).filter(pk=media.pk).exists(),
        "walk": search.query(),
        "tab": search.tab_name if search.tab_name != Tab.ALL else Tab.TEAM,
        "newer": before,
        "older": behind,
        "visibilities": Media.Visibility.choices,
    }
    return render(request, "gallery/picture.html", context)


@login_required
@require_safe
def look(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the lightbox shows: the picture as large as it is worth, and its facts."""
    shown = _fresh_tile(request, pk)
    return render(request, "gallery/_look.html", {"tile": shown, "rows": rows(shown.media)})


@login_required
@require_safe
def tile(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What stands in the picture's seat among others: asked for when it has changed."""
    search = Search(request.GET)
    walk = search.query() if search.is_valid() else ""
    return render(request, "gallery/_tile_inner.html", {"tile": _fresh_tile(request, pk), "walk": walk})


def _fresh_tile(request: HttpRequest, pk: UUID) -> Tile:
    seen = Media.objects.visible_to(request.user).kept().select_related("owner", "team")
    return tiles([get_object_or_404(seen, pk=pk)], request.user)[0]


def _home_tab(media: Media, request: HttpRequest) -> str:
    """The tab that a picture is found in when the address does not say which one it was opened from."""
    if media.owner_id == request.user.pk:
        return Tab.MINE
    return Tab.TEAM if media.team_id == request.team.pk else Tab.PUBLISHED


def _siblings(media: Media, viewer) -> QuerySet[Media]:
    """The other pictures of the same job."""
    if media.job is None:
        return Media.objects.none()
    return Media.objects.visible_to(viewer).kept().filter(job=media.job).exclude(pk=media.pk).order_by("index")
