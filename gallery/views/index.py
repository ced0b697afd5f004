"""The gallery: tabs, filters, endless pages, and the trash."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.models import Media
from gallery.search import Search, Tab, ask, choices, page
from gallery.views import saved
from gallery.views.filters import panel
from gallery.views.tiles import in_rows, tiles

TABS = (Tab.MINE, Tab.TEAM, Tab.SHARED, Tab.PUBLISHED)
SHOWN = 200  # pictures of the trash; what comes after them shows when they are gone


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """One page of pictures with the frame around it, or without it for a page that scrolls on."""
    search = _search(request)
    in_vain = ask(search, request.user)
    try:
        found = page(search, request.user, request.team.pk, after=request.GET.get("before", ""))
    except ValueError as error:
        raise Http404 from error
    context = {
        "search": search,
        "tiles": in_rows(tiles(found.pictures, request.user, search.wanted), is_end=not found.next),
        "walk": search.query(),
        "next": search.query(before=found.next) if found.next else "",
        "visibilities": Media.Visibility.choices,
    }
    if request.htmx and "before" in request.GET:
        return render(request, "gallery/index.html#page", context)
    context |= {
        "tabs": [(tab.label, search.query(tab=tab), tab == search.tab_name) for tab in TABS],
        "panel": panel(search, choices(request.user, search.tab_name, request.team.pk)),
        "removable": search.chips(request.user),
        "in_vain": in_vain,
        "untouched": search.plain(),
        **saved.menu(request, search),
    }
    return render(request, "gallery/index.html", context)


@login_required
@require_safe
def first(request: HttpRequest) -> JsonResponse:
    """The ids of the first page's pictures in order: an open page asks which of them it does not show yet."""
    search = _search(request)
    ask(search, request.user)
    found = page(search, request.user, request.team.pk)
    return JsonResponse({"media": [media.pk for media in found.pictures], "team": request.team.pk})


def _search(request: HttpRequest) -> Search:
    """What the address asks for; Http404 where it makes no sense."""
    search = Search(request.GET)
    if not search.is_valid() or search.tab_name not in TABS:
        raise Http404
    return search


@login_required
@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    """What was deleted and can still be restored by this person."""
    pictures = Media.objects.editable_by(request.user).trashed().order_by("-deleted", "-id")
    rows = list(pictures[: SHOWN + 1])
    shown = in_rows(tiles(rows[:SHOWN], request.user))
    context = {
        "tiles": [(tile, place, _days_left(tile.media)) for tile, place in shown],
        "days": settings.TRASH_RETENTION_DAYS,
        "more": len(rows) > SHOWN,
    }
    return render(request, "gallery/trash.html", context)


def _days_left(media: Media) -> int:
    """Whole days until it goes for good; 0 within the last one."""
    gone = media.deleted + timedelta(days=settings.TRASH_RETENTION_DAYS)
    return max(0, (gone - timezone.now()).days)
