"""Lending what a team was taught to another team, and taking it back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Team
from accounts.permissions import can
from accounts.roles import Action
from generator.models import Adapter, Checkpoint, Training
from generator.services import Refused, trainings


@login_required
@require_POST
def lend(request: HttpRequest, slug: str) -> HttpResponse:
    """To another team that the person makes pictures in (on=1), or back from one that has it (on=0)."""
    asset = _taught(request, slug)
    is_lent = request.POST.get("on") != "0"
    if not can(request.user, Action.CURATE, asset.training.team):
        raise PermissionDenied
    team = _team(request, asset, is_lent=is_lent)
    if team is None:
        none = _("Choose a team in which you make pictures.") if is_lent else _("That team does not have it any more.")
        messages.error(request, none)
    else:
        _do(request, asset, team, is_lent=is_lent)
    return redirect(f"{reverse('generator:training', args=[asset.training_id])}#lending")


def _do(request: HttpRequest, asset: Adapter | Checkpoint, team: Team, *, is_lent: bool) -> None:
    try:
        trainings.share_adapter(user=request.user, adapter=asset, team=team, shared=is_lent)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return
    if is_lent:
        says = _("“%(name)s” (version %(n)d) can be chosen in %(team)s now.")
    else:
        says = _("“%(name)s” (version %(n)d) is taken back from %(team)s. Pictures made with it stay.")
    messages.success(request, says % {"name": asset.name, "n": asset.version or 1, "team": team})


def _taught(request: HttpRequest, slug: str) -> Adapter | Checkpoint:
    """What was taught in a team of the person's, else 404."""
    of_teams = {"slug": slug, "training__in": Training.objects.visible_to(request.user)}
    found = Adapter.objects.select_related("training__team").filter(**of_teams).first()
    return found or get_object_or_404(Checkpoint.objects.select_related("training__team"), **of_teams)


def _team(request: HttpRequest, asset: Adapter | Checkpoint, *, is_lent: bool) -> Team | None:
    """The one that was chosen; None where it is none of those that the page offers."""
    try:
        wanted = UUID(request.POST.get("team", ""))
    except ValueError:
        return None
    offered = Team.objects.where(request.user, Action.CREATE) if is_lent else asset.teams.all()
    return offered.filter(pk=wanted).first()
