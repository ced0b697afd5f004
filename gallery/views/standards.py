"""What a team asks of a picture before it goes out, and how it shows itself to people outside."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.export_forms import ChannelForm
from gallery.forms import BrandForm, PolicyForm
from gallery.models import Brand, BrandFont, Channel


@login_required
@require_safe
def standards(request: HttpRequest) -> HttpResponse:
    """Review policy and brand of the team that the person works in."""
    return page(request)


def page(request: HttpRequest, status: int = 200, **forms: object) -> HttpResponse:
    """The whole page; `forms` are those that were sent and not accepted."""
    if not can(request.user, Action.VIEW, request.team):
        raise Http404
    brand = Brand.objects.filter(team=request.team).first()
    context = {
        "policy_form": PolicyForm(instance=services.policy_of(request.team)),
        "brand_form": BrandForm(initial={"name": brand.name if brand else ""}),
        "brand": brand,
        "fonts": BrandFont.objects.filter(team=request.team),
        "channels": Channel.objects.filter(team=request.team),
        "channel_form": ChannelForm(auto_id="channel_%s"),
        "may_change": can(request.user, Action.MANAGE_PEOPLE, request.team),
    }
    return render(request, "gallery/standards.html", {**context, **forms}, status=status)


@login_required
@require_POST
def policy(request: HttpRequest) -> HttpResponse:
    """Another policy."""
    form = PolicyForm(request.POST, instance=services.policy_of(request.team))
    if not can(request.user, Action.MANAGE_PEOPLE, request.team):
        raise PermissionDenied
    if not form.is_valid():
        return page(request, 422, policy_form=form)
    services.set_policy(user=request.user, team=request.team, **form.cleaned_data)
    messages.success(request, _("Saved. It holds for every decision from now on."))
    return redirect("gallery:standards")


@login_required
@require_POST
def brand(request: HttpRequest) -> HttpResponse:
    """Another name or logo."""
    if not can(request.user, Action.MANAGE_PEOPLE, request.team):
        raise PermissionDenied
    form = BrandForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, 422, brand_form=form)
    services.set_brand(user=request.user, team=request.team, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("gallery:standards")


@login_required
@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """The team's mark, for its members."""
    found = Brand.objects.filter(team=request.team).exclude(logo="").first()
    if found is None or not can(request.user, Action.VIEW, request.team):
        raise Http404
    with found.logo.open("rb") as stored:
        return HttpResponse(stored.read(), content_type="image/png")
