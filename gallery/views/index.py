"""The gallery: tabs, filters, endless pages, and the trash."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery.forms import Search, Tab
from gallery.models import Media
from gallery.views.tiles import in_rows, tiles

PAGE = 40


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """One page of pictures with the frame around it, or without it for a page that scrolls on."""
    search = Search(request.GET)
    if not search.is_valid():
        raise Http404
    held = search.of_tab(user=request.user, team=request.team)
    page, following = _page(search.narrow(held), request.GET.get("before"))
    context = {
        "search": search,
        "tiles": in_rows(tiles(page, request.user), is_end=not following),
        "walk": search.query(),
        "next": search.query(before=following) if following else "",
    }
    if request.htmx and "before" in request.GET:
        return render(request, "gallery/index.html#page", context)
    context |= {
        "tabs": [(tab.label, search.query(tab=tab), tab == search.tab_name) for tab in Tab],
        "styles": _choices(search, "style", held.values_list("style", flat=True)),
        "models": _choices(search, "model", held.values_list("checkpoint", flat=True)),
        "removable": _removable(search),
        "untouched": search.query(q="", style="", model=""),
    }
    return render(request, "gallery/index.html", context)


@login_required
@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    """What was deleted and can still be restored by this person."""
    pictures = Media.objects.editable_by(request.user).trashed().order_by("-deleted", "-id")
    context = {"tiles": in_rows(tiles(pictures[:200], request.user)), "days": settings.TRASH_RETENTION_DAYS}
    return render(request, "gallery/trash.html", context)


def _removable(search: Search) -> list[tuple[str, str, str]]:
    """(label, value, the address without it) of each filter that is on."""
    wanted = search.cleaned_data
    labels = {"q": _("Text"), "style": _("Style"), "model": _("Model")}
    return [(label, wanted[name], search.query(**{name: ""})) for name, label in labels.items() if wanted[name]]


def _choices(search: Search, name: str, values: QuerySet) -> list[tuple[str, str]]:
    """(label, address) of each value that occurs."""
    return [(value, search.query(**{name: value})) for value in values.order_by().distinct() if value]


def _page(pictures: QuerySet[Media], before: str | None) -> tuple[list[Media], str]:
    """(a page of pictures after the cursor `before`, the cursor of the next page or ""). As fast anywhere: keyset."""
    if before:
        created, pk = _read_cursor(before)
        pictures = pictures.filter(created__lte=created).filter(Q(created__lt=created) | Q(pk__lt=pk))
    found = list(pictures.order_by("-created", "-id")[: PAGE + 1])
    return found[:PAGE], _cursor(found[PAGE - 1]) if len(found) > PAGE else ""


def _cursor(media: Media) -> str:
    return urlsafe_b64encode(f"{media.created.isoformat()} {media.pk.hex}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        created, pk = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
        moment = datetime.fromisoformat(created)
        if moment.tzinfo is None:
            raise Http404
        return moment, UUID(pk)
    except ValueError as error:
        raise Http404 from error
