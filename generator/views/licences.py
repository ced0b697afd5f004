"""Accepting the licence of a model or adapter, where its first use asks for it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from generator import services
from generator.models import Adapter, Checkpoint

KINDS = {"model": Checkpoint, "adapter": Adapter}


@login_required
@require_POST
def accept(request: HttpRequest, kind: str, slug: str) -> HttpResponse:
    """Records that the person accepts it for the team they work in."""
    if kind not in KINDS:
        raise Http404
    asset = get_object_or_404(KINDS[kind].objects.enabled(), slug=slug)
    services.accept_licence(user=request.user, asset=asset, team=request.team)
    if request.htmx:
        return render(request, "generator/_licence_accepted.html", {"asset": asset})
    return redirect("generator:create")
