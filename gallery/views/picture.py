"""One picture, large, with all that is known about it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gallery.forms import Search, Tab
from gallery.models import Media
from gallery.views.recipe import rows
from gallery.views.tiles import in_rows, tiles


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
    order = search.narrow(search.of_tab(user=request.user, team=request.team))
    shown, *siblings = tiles([media, *_siblings(media, request.user)], request.user)
    context = {
        "tile": shown,
        "siblings": in_rows(siblings),
        "rows": rows(media),
        "walk": search.query(),
        "newer": _neighbour(order, media, newer=True),
        "older": _neighbour(order, media, newer=False),
        "visibilities": Media.Visibility.choices,
    }
    return render(request, "gallery/picture.html", context)


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


def _neighbour(order: QuerySet[Media], media: Media, *, newer: bool) -> Media | None:
    way, signs = ("gt", "") if newer else ("lt", "-")
    beside = order.filter(**{f"created__{way}e": media.created}).filter(
        Q(**{f"created__{way}": media.created}) | Q(**{f"pk__{way}": media.pk})
    )
    return beside.order_by(f"{signs}created", f"{signs}id").first()
