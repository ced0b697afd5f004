"""The page behind an invitation's link."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.forms import JoinForm
from accounts.models import Invitation, User


@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Lets people in: new ones choose a password, others join with the account that they are signed in with."""
    try:
        found = services.find_invitation(token)
        if request.method == "POST":
            return _accept(request, token, found)
    except services.Refused as refusal:
        return render(request, "accounts/invitation_over.html", {"reason": refusal}, status=404)
    return _ask(request, found, JoinForm())


def _accept(request: HttpRequest, token: str, found: Invitation) -> HttpResponse:
    if request.user.is_authenticated:
        membership = services.accept_invitation(token=token, user=request.user)
    else:
        form = JoinForm(request.POST)
        if not form.is_valid():
            return _ask(request, found, form, status=422)
        try:
            membership = services.accept_invitation(token=token, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("password", error)
            return _ask(request, found, form, status=422)
        get_adapter(request).login(request, membership.user)
    services.switch_team(request, membership.team)
    messages.success(request, _("Welcome to %(team)s.") % {"team": membership.team})
    return redirect("generator:create")


def _ask(request: HttpRequest, found: Invitation, form: JoinForm, status: int = 200) -> HttpResponse:
    """The page for whoever is looking: a new person, somebody with an account, or somebody else."""
    facts = {
        "invitation": found,
        "form": form,
        "has_account": User.objects.filter(email__iexact=found.email).exists(),
        "is_other": request.user.is_authenticated and request.user.email.lower() != found.email.lower(),
    }
    return render(request, "accounts/invitation.html", facts, status=status)
