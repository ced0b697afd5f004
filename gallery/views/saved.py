"""Saved searches: the menu beside the filters, and what is done in it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.forms import SavedSearchForm
from gallery.models import SavedSearch
from gallery.search import Search


@dataclass(frozen=True)
class Line:
    """One saved search in the menu."""

    saved: SavedSearch
    is_current: bool
    is_editable: bool


def menu(request: HttpRequest, search: Search) -> dict[str, object]:
    """What the menu shows beside `search`: own ones and the team's, and whether there is anything to save."""
    query = search.canonical()
    found = SavedSearch.objects.visible_to(request.user).kept().filter(team=request.team).select_related("owner")
    rows = list(found)
    editable = SavedSearch.objects.editable_by(request.user).filter(pk__in=[saved.pk for saved in rows])
    mine = set(editable.values_list("pk", flat=True)) if rows else set()
    return {
        "saved": [Line(saved, saved.query == query, saved.pk in mine) for saved in rows],
        "canonical": query,
        "is_worth_saving": search.is_narrowed,
        "may_share_search": bool(rows or search.is_narrowed)
        and not request.team.is_personal
        and can(request.user, Action.ORGANISE, request.team),
    }


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """The search that the page shows, under a name."""
    search, form = _search(request), SavedSearchForm(request.POST)
    if not form.is_valid():
        return _answer(request, search, problem=form.first_error())
    try:
        saved = services.save_search(
            user=request.user, team=request.team, query=search.canonical(), **form.cleaned_data
        )
    except services.Refused as refusal:
        return _answer(request, search, problem=str(refusal))
    return _answer(request, search, told=_("Saved as “%(name)s”.") % {"name": saved})


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another name, shared or not."""
    saved, form = _visible(request, pk), SavedSearchForm(request.POST)
    if not form.is_valid():
        return _answer(request, _search(request), problem=form.first_error())
    try:
        services.change_search(user=request.user, saved=saved, **form.cleaned_data)
    except services.Refused as refusal:
        return _answer(request, _search(request), problem=str(refusal))
    return _answer(request, _search(request), told=_("Changed."))


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Out of the menu; the answer offers to take it back."""
    saved = _visible(request, pk)
    services.delete_search(user=request.user, saved=saved)
    return _answer(request, _search(request), deleted=saved)


@login_required
@require_POST
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Back in the menu."""
    saved = _visible(request, pk)
    try:
        services.restore_search(user=request.user, saved=saved)
    except services.Refused as refusal:
        return _answer(request, _search(request), problem=str(refusal))
    return _answer(request, _search(request), restored=saved)


def _answer(
    request: HttpRequest,
    search: Search,
    *,
    problem: str = "",
    told: str = "",
    deleted: SavedSearch | None = None,
    restored: SavedSearch | None = None,
) -> HttpResponse:
    """The menu's list anew with a toast; a plain form leads back to the gallery."""
    if request.htmx:
        context = {"problem": problem, "told": told, "deleted": deleted, "restored": restored}
        context |= menu(request, search)
        return render(request, "gallery/_saved_list.html", context, status=422 if problem else 200)
    if deleted:
        undo = reverse("gallery:restore_search", args=[deleted.pk])
        messages.success(request, _("The saved search was deleted."), extra_tags=undo)
    elif problem or told:
        (messages.error if problem else messages.success)(request, problem or told)
    return redirect(f"{reverse('gallery:index')}?{search.canonical()}")


def _search(request: HttpRequest) -> Search:
    """The search of the page that the form stood on; the plain gallery's where it does not say."""
    search = Search(QueryDict(request.POST.get("query", "")))
    if not search.is_valid():
        raise Http404
    return search


def _visible(request: HttpRequest, pk: UUID) -> SavedSearch:
    """404 for what the person cannot see; whether they may change it is for the service to say."""
    return get_object_or_404(SavedSearch.objects.visible_to(request.user), pk=pk)
