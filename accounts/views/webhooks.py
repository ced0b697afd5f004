"""A team's webhooks: the list with a form for another, and the log of each."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.forms import WebhookForm
from accounts.models import Delivery, Team, Webhook
from accounts.permissions import can
from accounts.roles import Action

SHOWN = 50  # of the log


@login_required
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """The team's webhooks and a form for another; its secret stands in the answer itself, this once."""
    if not can(request.user, Action.AUTOMATE, request.team):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, WebhookForm())
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            made = services.create_webhook(user=request.user, team=request.team, **form.cleaned_data)
            return _page(request, WebhookForm(), new=made)
        except services.Refused as refusal:
            form.add_error("url", str(refusal))
    return _page(request, form, 422)


def _page(request: HttpRequest, form: WebhookForm, status: int = 200, **extra: object) -> HttpResponse:
    context = {"form": form, "webhooks": request.team.webhooks.all(), "team": request.team, **extra}
    return render(request, "accounts/webhooks.html", context, status=status)


@login_required
@never_cache
@require_safe
def webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One webhook and what became of its last messages."""
    return _log(request, _find(request, pk))


def _log(request: HttpRequest, found: Webhook, **extra: object) -> HttpResponse:
    context = {"webhook": found, "deliveries": found.deliveries.all()[:SHOWN], **extra}
    return render(request, "accounts/webhook.html", context)


def _find(request: HttpRequest, pk: UUID) -> Webhook:
    """404 for one of a team that the person is not in, 403 where their role does not let them."""
    mine = Webhook.objects.filter(team__in=Team.objects.pks_where(request.user, Action.VIEW))
    found = get_object_or_404(mine.select_related("team"), pk=pk)
    if not can(request.user, Action.AUTOMATE, found.team):
        raise PermissionDenied
    return found


@login_required
@require_POST
def switch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """On or off."""
    found = _find(request, pk)
    services.change_webhook(user=request.user, webhook=found, is_enabled=request.POST.get("is_enabled") == "1")
    return redirect("accounts:webhook", pk)


@login_required
@never_cache
@require_POST
def renew(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another secret, shown this once."""
    found = _find(request, pk)
    return _log(request, found, secret=services.renew_secret(user=request.user, webhook=found))


def _told(act: Callable[..., None], request: HttpRequest, **what: object) -> None:
    act(user=request.user, **what)
    messages.success(request, _("It is on its way; reload the page to see what came back."))


@login_required
@require_POST
def test(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sends a message that was made up."""
    _told(services.send_test, request, webhook=_find(request, pk))
    return redirect("accounts:webhook", pk)


@login_required
@require_POST
def redeliver(request: HttpRequest, pk: UUID, delivery: UUID) -> HttpResponse:
    """Sends a message again."""
    found = _find(request, pk)
    _told(services.redeliver, request, delivery=get_object_or_404(Delivery, webhook=found, pk=delivery))
    return redirect("accounts:webhook", pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For good, with its log."""
    services.delete_webhook(user=request.user, webhook=_find(request, pk))
    messages.success(request, _("The webhook is deleted."))
    return redirect("accounts:webhooks")
