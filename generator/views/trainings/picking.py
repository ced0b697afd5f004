"""Pictures of the gallery for a draft: looked for as in the gallery, ticked, and taken together."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Media
from gallery.search import Search, Tab, page
from gallery.views.tiles import tiles
from generator.services import Refused, trainings
from generator.views.trainings.pages import changeable, common


@login_required
@require_safe
def gallery(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the team of a draft has, a page at a time."""
    training = changeable(request, pk)
    if not training.is_draft:
        raise Http404
    search = Search({"tab": Tab.TEAM, "q": request.GET.get("q", "")})
    if not search.is_valid():
        raise Http404
    try:
        found = page(search, request.user, training.team_id, after=request.GET.get("before", ""))
    except ValueError as error:
        raise Http404 from error
    # A private picture is nothing for a team to learn from.
    shown = [media for media in found.pictures if media.visibility != Media.Visibility.PRIVATE]
    context = {
        **common(request, training),
        "tiles": tiles(shown, request.user, search.wanted),
        "taken": set(training.pictures.filter(removed=None).values_list("media", flat=True)),
        "q": search.cleaned_data["q"],
        "next": found.next,
    }
    return render(request, "generator/training_gallery.html", context)


@login_required
@require_POST
def take(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All that were ticked, or, where one may not be learned from, none."""
    training = changeable(request, pk)
    try:
        asked = list(dict.fromkeys(UUID(text) for text in request.POST.getlist("media")))
    except ValueError as error:
        raise Http404 from error
    known = Media.objects.reusable_by(request.user, training.team).in_bulk(asked)
    try:
        if not asked:
            raise Refused(_("Tick the pictures that it is to learn from."))
        if len(known) < len(asked):
            raise Refused(_("A picture is not there any more. Choose again."))
        trainings.add_many(user=request.user, training=training, media=[known[media] for media in asked])
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("generator:training_gallery" if training.is_draft else "generator:training", pk)
    n = len(asked)
    messages.success(request, ngettext("%(n)d picture taken.", "%(n)d pictures taken.", n) % {"n": n})
    return redirect("generator:training", pk)
