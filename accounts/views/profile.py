"""A person's own page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.forms import ProfileForm
from accounts.services import daily_limit, left_today


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name, theme, and what is left of today's pictures."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    facts = {"form": form, "left": left_today(request.user), "limit": daily_limit(request.user)}
    return render(request, "accounts/profile.html", facts, status=422 if form.errors else 200)
