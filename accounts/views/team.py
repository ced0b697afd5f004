"""The team page, and what can be done on it. Every change answers with the page, so it works without JavaScript too."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import services
from accounts.forms import InviteForm, RoleForm, SharesForm, TeamForm
from accounts.models import Invitation, Membership, Team
from accounts.permissions import can
from accounts.roles import ALLOWED, Action, Role, grantable


@login_required
@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """Who is in the team that the person works in, who is invited, and what they may change about it."""
    return _page(request, request.team)


def _page(request: HttpRequest, team: Team, status: int = 200, **extra: object) -> HttpResponse:
    """The page of `team`; `extra` brings a form with its errors, or the link of a new invitation."""
    members = sorted(
        team.memberships.select_related("user"), key=lambda m: (list(Role).index(m.role), str(m.user).lower())
    )
    role = Role(next(member.role for member in members if member.user_id == request.user.pk))
    roles = grantable(role)
    mine = request.user.memberships.select_related("team").annotate(people=Count("team__memberships"))
    facts = {
        "team": team,
        "members": members,
        "role": role,
        "roles": roles,
        "may_manage_people": Action.MANAGE_PEOPLE in ALLOWED[role] and not team.is_personal,
        "may_manage_team": Action.MANAGE_TEAM in ALLOWED[role] and not team.is_personal,
        "may_automate": Action.AUTOMATE in ALLOWED[role],
        "invitations": team.invitations.open().select_related("invited_by") if roles else [],
        "teams": mine.order_by(F("team__personal_of").asc(nulls_first=True), "team__name"),
        "shares_form": SharesForm(members=members),
        "successors": [member for member in members if member.user_id != request.user.pk],
        "invite_form": InviteForm(roles=roles, initial={"role": Role.CREATOR}),
        "rename_form": TeamForm(instance=team, auto_id="rename_%s"),
        "create_form": TeamForm(auto_id="create_%s"),
    }
    return render(request, "accounts/team.html", {**facts, **extra}, status=status)


def _team_or_404(request: HttpRequest, pk: UUID) -> Team:
    return get_object_or_404(Team.objects.where(request.user, Action.VIEW), pk=pk)


@login_required
@require_POST
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Invites somebody and shows the link, this once."""
    team = _team_or_404(request, pk)
    if not can(request.user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    form = InviteForm(request.POST, roles=grantable(Role(team.memberships.get(user=request.user).role)))
    if not form.is_valid():
        return _page(request, team, 422, invite_form=form)
    try:
        invitation, link = services.invite(
            user=request.user, team=team, base_url=request.build_absolute_uri("/"), **form.cleaned_data
        )
    except services.Refused as refusal:
        form.add_error("email", str(refusal))
        return _page(request, team, 422, invite_form=form)
    return _page(request, team, new_invitation=invitation, link=link)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraws an open invitation."""
    invitation = get_object_or_404(
        Invitation.objects.open().filter(team__in=Team.objects.pks_where(request.user, Action.VIEW)), pk=pk
    )
    services.revoke_invitation(user=request.user, invitation=invitation)
    messages.success(request, _("The invitation of %(email)s is withdrawn.") % {"email": invitation.email})
    return redirect("accounts:team")


def _membership_or_404(request: HttpRequest, pk: int) -> Membership:
    mine = Membership.objects.filter(team__in=Team.objects.pks_where(request.user, Action.VIEW))
    return get_object_or_404(mine.select_related("user", "team"), pk=pk)


@login_required
@require_POST
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a member another role."""
    membership = _membership_or_404(request, pk)
    form = RoleForm(request.POST, roles=list(Role))
    if not form.is_valid():
        return _page(request, membership.team, 422)
    role = Role(form.cleaned_data["role"])
    try:
        services.change_role(user=request.user, membership=membership, role=role)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        facts = {"name": membership.user, "role": role.label}
        messages.success(request, _("%(name)s’s role is now: %(role)s.") % facts)
    return redirect("accounts:team")


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a member out of the team."""
    membership = _membership_or_404(request, pk)
    try:
        services.remove_member(user=request.user, membership=membership)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(name)s is no longer in the team.") % {"name": membership.user})
    return redirect("accounts:team")


@login_required
@require_POST
def leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes the person themselves out of the team."""
    team = _team_or_404(request, pk)
    try:
        services.leave_team(user=request.user, team=team)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You have left %(team)s.") % {"team": team})
    return redirect("accounts:team")


@login_required
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """A new team; the person goes on working in it."""
    form = TeamForm(request.POST, auto_id="create_%s")
    if not form.is_valid():
        return _page(request, request.team, 422, create_form=form)
    services.switch_team(request, services.create_team(user=request.user, name=form.cleaned_data["name"]))
    return redirect("accounts:team")


@login_required
@require_POST
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Gives the team another name."""
    team = _team_or_404(request, pk)
    form = TeamForm(request.POST, auto_id="rename_%s")
    if not form.is_valid():
        return _page(request, team, 422, rename_form=form)
    services.rename_team(user=request.user, team=team, name=form.cleaned_data["name"])
    return redirect("accounts:team")


@login_required
@require_POST
def shares(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Divides the team's turn among its members."""
    team = _team_or_404(request, pk)
    if not can(request.user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    form = SharesForm(request.POST, members=list(team.memberships.select_related("user")))
    if not form.is_valid():
        return _page(request, team, 422, shares_form=form)
    services.set_shares(user=request.user, team=team, shares=form.shares)
    messages.success(request, _("Saved."))
    return redirect("accounts:team")


@login_required
@require_POST
def hand_over(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Makes a member the owner in the person's place."""
    team = _team_or_404(request, pk)
    chosen = request.POST.get("member", "")
    membership = get_object_or_404(team.memberships.select_related("user"), pk=chosen if chosen.isdecimal() else None)
    services.hand_over_team(user=request.user, membership=membership)
    facts = {"name": membership.user, "team": team}
    messages.success(request, _("%(name)s owns %(team)s now; you are a manager of it.") % facts)
    return redirect("accounts:team")


@login_required
@require_POST
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deletes the team, once its name was typed."""
    team = _team_or_404(request, pk)
    try:
        services.close_team(user=request.user, team=team, name=request.POST.get("name", ""))
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(team)s is deleted.") % {"team": team})
    return redirect("accounts:team")


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Makes another team the one to work in, and starts at Create: what was open belongs to the old one."""
    try:
        team = _team_or_404(request, UUID(request.POST.get("team", "")))
    except ValueError:
        return redirect("generator:create")
    services.switch_team(request, team)
    messages.success(request, _("You now work in %(team)s.") % {"team": team})
    return redirect("generator:create")
