"""Where one is signed in."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts import devices, services


@login_required
@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Each device and browser, when it was seen last, and which of them this is."""
    here = request.session.session_key
    shown = [
        {
            "pk": session.pk,
            "browser": devices.browser(session.user_agent),
            "system": devices.system(session.user_agent),
            "icon": devices.icon(session.user_agent),
            "ip": session.ip,
            "created": session.created_at,
            "seen": session.last_seen_at,
            "is_here": session.session_key == here,
        }
        for session in services.sessions_of(request.user)
    ]
    shown.sort(key=lambda session: not session["is_here"])
    return render(request, "accounts/sessions.html", {"sessions": shown})


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Signs the person out somewhere else."""
    session = get_object_or_404(UserSession.objects.filter(user=request.user), pk=pk)
    services.end_session(user=request.user, session=session)
    messages.success(request, _("Signed out there."))
    return redirect("accounts:sessions")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Signs the person out everywhere but here."""
    number = services.end_other_sessions(user=request.user, keep=request.session.session_key)
    told = ngettext("Signed out in %(n)d other place.", "Signed out in %(n)d other places.", number)
    messages.success(request, told % {"n": number})
    return redirect("accounts:sessions")
