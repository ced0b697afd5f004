"""The brand kit and the channels of a team, beside its standards."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Team
from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.export_forms import ChannelForm
from gallery.models import BrandFont, Channel
from gallery.views.standards import page

FONT_TYPES = {"ttf": "font/ttf", "otf": "font/otf", "woff2": "font/woff2"}


@login_required
@require_POST
def colours(request: HttpRequest) -> HttpResponse:
    """All colours of the brand, as they are from now on."""
    given = zip(request.POST.getlist("name"), request.POST.getlist("hex"), strict=False)
    try:
        services.set_colours(user=request.user, team=request.team, colours=list(given))
    except services.Refused as refused:
        return page(request, 422, kit_problem=str(refused))
    messages.success(request, _("Saved."))
    return redirect("gallery:standards")


@login_required
@require_POST
def add_font(request: HttpRequest) -> HttpResponse:
    """One more typeface."""
    file, licence = request.FILES.get("file"), request.POST.get("licence", "")
    if not can(request.user, Action.MANAGE_PEOPLE, request.team):
        raise PermissionDenied
    if file is None:
        return page(request, 422, kit_problem=_("Choose a font file."))
    try:
        services.add_font(user=request.user, team=request.team, file=file, licence=licence)
    except services.Refused as refused:
        return page(request, 422, kit_problem=str(refused))
    messages.success(request, _("The font was added."))
    return redirect("gallery:standards")


@login_required
@require_POST
def remove_font(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One less."""
    services.remove_font(user=request.user, font=_font(request, pk))
    messages.success(request, _("The font was removed."))
    return redirect("gallery:standards")


@login_required
@require_safe
def font(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file of a typeface, for its team: pages show words in it."""
    found = _font(request, pk)
    with found.file.open("rb") as stored:
        response = HttpResponse(stored.read(), content_type=FONT_TYPES[found.file.name.rsplit(".", 1)[-1]])
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _font(request: HttpRequest, pk: UUID) -> BrandFont:
    return get_object_or_404(BrandFont, pk=pk, team__in=Team.objects.pks_where(request.user, Action.VIEW))


@login_required
@require_POST
def add_channel(request: HttpRequest) -> HttpResponse:
    """A channel of the team's own."""
    if not can(request.user, Action.MANAGE_PEOPLE, request.team):
        raise PermissionDenied
    form = ChannelForm(request.POST, auto_id="channel_%s")
    if not form.is_valid():
        return page(request, 422, channel_form=form)
    slug = _free_slug(request.team, form.cleaned_data["name"])
    services.set_channel(user=request.user, team=request.team, slug=slug, **form.cleaned_data)
    messages.success(request, _("The channel was added."))
    return redirect("gallery:standards")


def _free_slug(team: Team, name: str) -> str:
    slug = first = slugify(name)[:40] or "channel"
    taken = set(Channel.objects.for_team(team).values_list("slug", flat=True))
    number = 1
    while slug in taken:
        number += 1
        slug = f"{first}-{number}"
    return slug


@login_required
@require_POST
def remove_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the team's own goes."""
    teams = Team.objects.where(request.user, Action.VIEW)
    services.delete_channel(user=request.user, channel=get_object_or_404(Channel, pk=pk, team__in=teams))
    messages.success(request, _("The channel was removed."))
    return redirect("gallery:standards")
