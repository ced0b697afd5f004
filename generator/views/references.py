"""Pictures that the composer may start from or go by."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gallery.models import Media
from gallery.views.tiles import tiles

SHOWN = 24


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The latest of one's own and of the team; or the one that the address names, if it may be started from."""
    usable = Media.objects.reusable_by(request.user, request.team)
    asked = request.GET.get("media", "")
    found = usable.filter(pk=asked) if asked and _is_uuid(asked) else _latest(request)
    context = {
        "tiles": tiles(found, request.user),
        "asked": asked,
        "is_reference": request.GET.get("for") == "reference",
    }
    return render(request, "generator/_references.html", context)


def _latest(request: HttpRequest) -> list[Media]:
    """Two short lists by their own indexes instead of one long one by none."""
    seen = Media.objects.visible_to(request.user).kept()
    of_team, own = seen.filter(team=request.team), Media.objects.kept().filter(owner=request.user)
    each = [*of_team.order_by("-created", "-id")[:SHOWN], *own.order_by("-created", "-id")[:SHOWN]]
    usable = Media.objects.reusable_by(request.user, request.team).filter(pk__in={one.pk for one in each})
    return list(usable.order_by("-created", "-id")[:SHOWN])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
