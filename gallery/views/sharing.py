"""Share links as their makers see them: made, listed, revoked."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.forms import ShareForm
from gallery.models import Album, Media, ShareLink

SHOWN = 200


@login_required
@require_safe
def links(request: HttpRequest) -> HttpResponse:
    """Every link of the team that this person may manage, the open ones first."""
    managed = ShareLink.objects.managed_by(request.user).filter(team=request.team)
    valid = set(managed.valid().values_list("pk", flat=True))
    rows = [(link, link.pk in valid) for link in managed.select_related("media", "album", "created_by")[:SHOWN]]
    return render(request, "gallery/links.html", {"links": sorted(rows, key=lambda row: not row[1])})


@login_required
def share_media(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A link to one picture: what it is to allow (GET), and the link itself, this once (POST)."""
    media = get_object_or_404(Media.objects.visible_to(request.user).kept().select_related("team"), pk=pk)
    return _share(request, media=media)


@login_required
def share_album(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A link to one album, in the same way."""
    album = get_object_or_404(Album.objects.visible_to(request.user).select_related("team"), pk=pk)
    return _share(request, album=album)


def _share(request: HttpRequest, *, media: Media | None = None, album: Album | None = None) -> HttpResponse:
    thing = media or album
    assert thing is not None
    form = ShareForm(request.POST or None)
    context: dict[str, object] = {
        "form": form,
        "thing": thing,
        "may_share": can(request.user, Action.SHARE, thing.team_id),
        "is_draft": bool(media and services.is_draft(media)),
    }
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                link, token = services.make_link(user=request.user, media=media, album=album, **form.cleaned_data)
            except services.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                address = request.build_absolute_uri(reverse("gallery:shared", args=[token]))
                context |= {"link": link, "address": address}
                status = 200
    existing = ShareLink.objects.managed_by(request.user).valid().filter(media=media, album=album)
    return render(request, "gallery/share.html", {**context, "existing": existing}, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Closes a link at once."""
    link = get_object_or_404(ShareLink.objects.managed_by(request.user), pk=pk)
    services.revoke_link(user=request.user, link=link)
    messages.success(request, _("The link is closed: whoever has it sees nothing any more."))
    return redirect("gallery:links")
