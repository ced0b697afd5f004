"""A person's API keys: made (and shown once), listed, revoked."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import services
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey


@login_required
@never_cache
def api_keys(request: HttpRequest) -> HttpResponse:
    """The keys that open something, and a form for another. A new one stands in the answer itself, this once."""
    if request.method != "POST":
        return _page(request, ApiKeyForm(person=request.user))
    form = ApiKeyForm(request.POST, person=request.user)
    if not form.is_valid():
        return _page(request, form, 422)
    try:
        key, token = services.create_api_key(user=request.user, **form.cleaned_data)
    except services.Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, 422)
    return _page(request, ApiKeyForm(person=request.user), new_key=key, token=token)


def _page(request: HttpRequest, form: ApiKeyForm, status: int = 200, **extra: object) -> HttpResponse:
    keys = ApiKey.objects.valid().filter(user=request.user)
    return render(request, "accounts/api_keys.html", {"form": form, "keys": keys, **extra}, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a key of one's own worthless."""
    key = get_object_or_404(ApiKey.objects.filter(user=request.user), pk=pk)
    services.revoke_api_key(user=request.user, key=key)
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("accounts:api_keys")
