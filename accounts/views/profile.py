"""A person's own page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import ProfileForm, ThemeForm
from accounts.services import daily_limit, left_today


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name, theme, language, and what is left of today's pictures."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        if user.language:
            translation.activate(user.language)  # so that the answer is in it already
        messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    facts = {"form": form, "left": left_today(request.user), "limit": daily_limit(request.user)}
    return render(request, "accounts/profile.html", facts, status=422 if form.errors else 200)


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """The colours of the pages, chosen in the menu; the page that the menu is on shows them by itself."""
    form = ThemeForm(request.POST, instance=request.user)
    if not form.is_valid():
        return HttpResponse(status=422)
    form.save()
    return HttpResponse(status=204) if request.htmx else redirect("accounts:profile")
