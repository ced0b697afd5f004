"""Teams and who is in them as what."""

from functools import partial
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.live import publish_access_changed
from accounts.models import Invitation, Membership, Team, User
from accounts.permissions import can
from accounts.roles import Action, Role, grantable
from accounts.services.refused import Refused
from accounts.signals import team_closed


@transaction.atomic
def create_team(*, user: User, name: str) -> Team:
    """A new team owned by `user`."""
    team = Team.objects.create(name=name.strip())
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    return team


def rename_team(*, user: User, team: Team, name: str) -> None:
    """Gives `team` another name. PermissionDenied unless the role manages the team."""
    if not can(user, Action.MANAGE_TEAM, team):
        raise PermissionDenied
    team.name = name.strip()
    team.save(update_fields=["name"])


def switch_team(request: HttpRequest, team: Team) -> None:
    """Makes `team` the one that this session and the next work in. PermissionDenied for one the person is not in."""
    if not can(request.user, Action.VIEW, team):
        raise PermissionDenied
    request.session["team"] = str(team.pk)
    user = cast(User, request.user)  # strangers are in no team
    user.last_team = team
    user.save(update_fields=["last_team"])


@transaction.atomic
def change_role(*, user: User, membership: Membership, role: Role) -> None:
    """Gives a member another role.

    PermissionDenied unless `user` may give both the old and the new role. Refused for a team's last owner.
    """
    team = locked(membership.team)
    membership.refresh_from_db(fields=["role"])
    if not {membership.role, role} <= set(grantable_by(user, team)):
        raise PermissionDenied
    if role != Role.OWNER:
        _keep_an_owner(team, without=membership)
    membership.role = role
    membership.save(update_fields=["role"])
    _revoke_invitations_beyond(team, membership.user_id, grantable(role))
    _access_changed(membership.user_id)


@transaction.atomic
def remove_member(*, user: User, membership: Membership) -> None:
    """Takes a person out of a team; what they made there stays. PermissionDenied and Refused as in `change_role`."""
    team = locked(membership.team)
    membership.refresh_from_db(fields=["role"])
    if membership.role not in grantable_by(user, team):
        raise PermissionDenied
    _drop(team, membership)


@transaction.atomic
def leave_team(*, user: User, team: Team) -> None:
    """Takes `user` out of `team` by their own wish. Refused for a personal team and for its last owner."""
    team = locked(team)
    membership = Membership.objects.filter(team=team, user=user).first()
    if membership is None:
        raise PermissionDenied
    _drop(team, membership)


@transaction.atomic
def hand_over_team(*, user: User, membership: Membership) -> None:
    """Makes a member the owner in the place of `user`, who stays as a manager. PermissionDenied for who is no owner."""
    team = locked(membership.team)
    own = Membership.objects.filter(team=team, user=user).first()
    if own is None or own.pk == membership.pk or not can(user, Action.MANAGE_TEAM, team):
        raise PermissionDenied
    change_role(user=user, membership=membership, role=Role.OWNER)
    change_role(user=user, membership=own, role=Role.MANAGER)


def set_shares(*, user: User, team: Team, shares: dict[int, int]) -> None:
    """How the team's turn is divided: `shares` by the keys of memberships. PermissionDenied unless `user` manages."""
    if not can(user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    members = list(Membership.objects.filter(team=team, pk__in=shares))
    for membership in members:
        membership.share = shares[membership.pk]
    Membership.objects.bulk_update(members, ["share"])


@transaction.atomic
def close_team(*, user: User, team: Team, name: str) -> None:
    """Ends a team for everybody in it; its pictures go to the trash, from where time removes them.

    `name` is what the person typed to say that they mean it. The row stays, so that an administrator can bring the team
    back by putting somebody into it. PermissionDenied for who is no owner; Refused for another name, a personal team.
    """
    team = locked(team)
    if not can(user, Action.MANAGE_TEAM, team):
        raise PermissionDenied
    if team.is_personal:
        raise Refused(_("Everybody keeps their personal team."))
    if name.strip() != team.name:
        raise Refused(_("This was not the name of the team, so nothing was deleted."))
    close(team)


def close(team: Team) -> None:
    """Takes everybody out of `team` and has what it kept removed."""
    people = list(Membership.objects.filter(team=team).values_list("user", flat=True))
    Invitation.objects.open().filter(team=team).update(revoked=timezone.now())
    Membership.objects.filter(team=team).delete()
    team_closed.send(Team, team=team)
    for person in people:
        _access_changed(person)


def _drop(team: Team, membership: Membership) -> None:
    if team.personal_of_id == membership.user_id:
        raise Refused(_("Everybody keeps their personal team."))
    _keep_an_owner(team, without=membership)
    _revoke_invitations_beyond(team, membership.user_id, [])
    membership.delete()
    _access_changed(membership.user_id)


def locked(team: Team) -> Team:
    """`team`, its membership changes held back until this transaction ends: two owners cannot both go at once."""
    return Team.objects.select_for_update(no_key=True).get(pk=team.pk)


def _keep_an_owner(team: Team, *, without: Membership) -> None:
    owners = Membership.objects.filter(team=team, role=Role.OWNER)
    if without.role == Role.OWNER and not owners.exclude(pk=without.pk).exists():
        raise Refused(_("A team needs an owner: make somebody else an owner first."))


def grantable_by(user: User, team: Team) -> list[Role]:
    """The roles that `user` may give and take in `team`: an administrator all of them, an outsider none."""
    if user.is_superuser and user.is_active:
        return list(Role)
    if not can(user, Action.MANAGE_PEOPLE, team):
        return []
    return grantable(Role(Membership.objects.get(team=team, user=user).role))


def _access_changed(user_id: int) -> None:
    transaction.on_commit(partial(publish_access_changed, user_id))


def _revoke_invitations_beyond(team: Team, user_id: int, roles: list[Role]) -> None:
    """Whoever loses a right must not keep it in the shape of links given out before."""
    mine = Invitation.objects.open().filter(team=team, invited_by=user_id)
    mine.exclude(role__in=roles).update(revoked=timezone.now())
