"""What concerns one person, and what happened in their team."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import services
from gallery.models import Activity, Album, Media, Notice, NoticePreferences, Verb
from gallery.services.activity import MUTABLE

SHOWN = 100


@login_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """One's notices, the newest first, and how one wants to hear of them."""
    related = "activity__actor", "activity__media__team", "activity__album", "activity__comment"
    found = Notice.objects.filter(user=request.user).select_related(*related)[:SHOWN]
    preferences = NoticePreferences.objects.filter(user=request.user).first() or NoticePreferences(user=request.user)
    context = {
        "notices": found,
        "unread": Notice.objects.unread().filter(user=request.user).count(),
        "preferences": preferences,
        "letters": NoticePreferences.Letters.choices,
        "verbs": [(verb, verb.label, verb not in preferences.muted) for verb in MUTABLE],
    }
    return render(request, "gallery/notices.html", context)


@login_required
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The number at the bell."""
    return render(request, "gallery/_bell.html", {"unread": Notice.objects.unread().filter(user=request.user).count()})


@login_required
@require_safe
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Leads to what a notice is about, and marks it as read."""
    notice = get_object_or_404(
        Notice.objects.select_related("activity__media", "activity__album"), pk=pk, user=request.user
    )
    services.read_notices(user=request.user, upto=notice)
    activity = notice.activity
    if activity.verb == Verb.REVIEW_ASKED:
        return redirect("gallery:review")
    thing = activity.media or activity.album
    anchor = "#comments" if activity.comment_id else "#review" if activity.media_id else ""
    return redirect(f"{thing.get_absolute_url()}{anchor}" if thing else "gallery:notices")


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """All of them are read."""
    services.read_notices(user=request.user)
    return redirect("gallery:notices")


@login_required
@require_POST
def prefer(request: HttpRequest) -> HttpResponse:
    """How one wants to hear of things."""
    wanted = set(request.POST.getlist("verb"))
    letters = request.POST.get("letters", "")
    if letters not in NoticePreferences.Letters.values:
        letters = NoticePreferences.Letters.DAILY
    muted = [verb for verb in MUTABLE if verb not in wanted]
    services.prefer_notices(user=request.user, letters=letters, muted=muted)
    messages.success(request, _("Saved."))
    return redirect("gallery:notices")


@login_required
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """What happened in the team lately, as far as this person can see what it happened to."""
    lines = Activity.objects.filter(team=request.team).select_related("actor", "media", "album")[:SHOWN]
    seen = set(_visible(Media, request, {line.media_id for line in lines}))
    seen |= set(_visible(Album, request, {line.album_id for line in lines}))
    shown = [line for line in lines if {line.media_id, line.album_id} - {None} <= seen]
    return render(request, "gallery/activity.html", {"lines": shown})


def _visible(model, request: HttpRequest, ids: set[UUID | None]):
    return model.objects.visible_to(request.user).filter(pk__in=ids - {None}).values_list("pk", flat=True)
