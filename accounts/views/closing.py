"""Going for good."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import services
from accounts.forms import CloseAccountForm


@login_required
def close(request: HttpRequest) -> HttpResponse:
    """Says what becomes of everything, asks for the address as a sign that it is meant, and ends the account."""
    form = CloseAccountForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = request.user
        try:
            services.close_account(user=user)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            get_adapter(request).logout(request)
            messages.success(request, _("Your account is deleted."))
            return redirect("account_login")
    facts = {"form": form, "needed": services.teams_that_need(request.user)}
    return render(request, "accounts/close.html", facts, status=422 if form.errors else 200)
