"""Going for good: what becomes of an account that its person no longer wants."""

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiKey, Invitation, Membership, Team, User
from accounts.roles import Role
from accounts.services.refused import Refused
from accounts.services.sessions import end_other_sessions
from accounts.services.teams import close, leave_team
from accounts.signals import account_closed


def teams_that_need(user: User) -> list[Team]:
    """Teams with other people in them that would have no owner without `user`."""
    needed = []
    for team in Team.objects.filter(personal_of=None, memberships__user=user, memberships__role=Role.OWNER):
        others = Membership.objects.filter(team=team).exclude(user=user)
        if others.exists() and not others.filter(role=Role.OWNER).exists():
            needed.append(team)
    return needed


@transaction.atomic
def close_account(*, user: User) -> None:
    """Ends the account of `user`, who asked for it: nothing opens it again, and nothing in it names them any more.

    What they made in teams stays there. Their personal team, and teams in which they were alone, are closed. Refused
    while a team needs them as its owner, and for the last administrator.
    """
    if needed := teams_that_need(user):
        names = ", ".join(team.name for team in needed)
        raise Refused(_("First hand over what you own: %(teams)s.") % {"teams": names})
    if user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise Refused(_("You are the only administrator. Make somebody else one first."))
    for team in Team.objects.filter(personal_of=None, memberships__user=user):
        if team.memberships.count() == 1:
            close(team)
        else:
            leave_team(user=user, team=team)
    account_closed.send(User, user=user)
    if personal := Team.objects.filter(personal_of=user).first():
        close(personal)
    ApiKey.objects.filter(user=user, revoked=None).update(revoked=timezone.now())
    Invitation.objects.open().filter(email__iexact=user.email).update(revoked=timezone.now())
    Authenticator.objects.filter(user=user).delete()
    end_other_sessions(user=user, keep=None)
    user.email, user.name = f"closed-{user.pk}@invalid", _("Former member")
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
