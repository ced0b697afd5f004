"""What people do to a picture. Each answers with the fragment that changed; a plain form leads back to its page."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery import services
from gallery.models import Media
from gallery.views.tiles import tiles


@login_required
@require_POST
def trash(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Into the trash; the answer offers to take it back."""
    media = _visible(request, pk)
    services.trash_media(user=request.user, media=media)
    text = " ".join(filter(None, [_("Moved to the trash."), services.learned_in_words(user=request.user, media=[pk])]))
    if request.htmx:
        return render(request, "gallery/_trashed.html", {"media": media, "text": text})
    messages.success(request, text, extra_tags=reverse("gallery:restore", args=[pk]))
    return redirect(_next(request, reverse("gallery:index")))


@login_required
@require_POST
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Back from the trash; the answer is what fills its tile again."""
    media = _visible(request, pk)
    services.restore_media(user=request.user, media=media)
    if request.htmx:
        return render(request, "gallery/_restored.html", {"tile": tiles([media], request.user)[0]})
    return redirect(_next(request, media.get_absolute_url()))


@login_required
@require_POST
def like(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sets one's like (liked=1) or takes it back (liked=0)."""
    if request.POST.get("liked") not in {"0", "1"}:
        return HttpResponseBadRequest(_("“liked” must be 0 or 1."))
    media = _visible(request, pk)
    services.like_media(user=request.user, media=media, liked=request.POST["liked"] == "1")
    if request.htmx:
        context = {"tile": tiles([media], request.user)[0], "large": "large" in request.POST}
        return render(request, "gallery/_like.html", context)
    return redirect(_next(request, media.get_absolute_url()))


@login_required
@require_POST
def visibility(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who may see the picture from now on."""
    wanted = request.POST.get("visibility")
    if wanted not in Media.Visibility.values:
        return HttpResponseBadRequest(_("Choose who may see the picture."))
    media = _visible(request, pk)
    services.set_visibility(user=request.user, media=media, visibility=wanted)
    if request.htmx:
        context = {"tile": tiles([media], request.user)[0], "visibilities": Media.Visibility.choices, "saved": True}
        return render(request, "gallery/_visibility.html", context)
    return redirect(media.get_absolute_url())


def _visible(request: HttpRequest, pk: UUID) -> Media:
    """404 for what the person cannot see; whether they may change it is for the service to say."""
    return get_object_or_404(Media.objects.visible_to(request.user), pk=pk)


def _next(request: HttpRequest, default: str) -> str:
    """Where the form asked to go, when that is a page of ours."""
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()) else default
