"""Bringing pictures: the page. Its script sends files by the API (gallery/api/uploads.py)."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.models import Media, Upload
from gallery.models.errand import State

RECENT = 8


@login_required
@require_safe
def importing(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """A new import, or one of one's own to watch, go on with or take back."""
    own = Upload.objects.filter(owner=request.user)
    upload = get_object_or_404(own.select_related("team"), pk=pk) if pk else None
    team = upload.team if upload else request.team
    taken = Count("files", filter=Q(files__state=State.DONE, files__is_duplicate=False) & ~Q(files__media=None))
    context = {
        "upload": upload,
        "team": team,
        "may": can(request.user, Action.CREATE, team),
        "whose": Upload.Whose.choices,
        "metadata": Upload.Metadata.choices,
        "visibilities": Media.Visibility.choices,
        "piece": services.PIECE,
        "most": services.file_limit("picture") // services.MB,
        "recent": own.annotate(taken=taken).filter(taken__gt=0)[:RECENT] if not upload else (),
    }
    return render(request, "gallery/import.html", context)
