"""Invitations: links that let people into a team."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Invitation, Membership, Team, User
from accounts.roles import Role
from accounts.services.people import create_person
from accounts.services.refused import Refused
from accounts.services.teams import grantable_by, locked

log = logging.getLogger(__name__)


def invite(*, user: User, team: Team, email: str, role: Role, base_url: str) -> tuple[Invitation, str]:
    """A link, good for a week, that lets the person with that address into `team`; it replaces an earlier one.

    Mails it where mail is set up (`invitation.mailed` says whether that worked). Only the hash is kept, so this is the
    one moment to show the link. `base_url` is what comes before the path, such as "https://studio.example/".
    PermissionDenied for a role that `user` may not give; Refused for a personal team and for a member.
    """
    email = email.strip().lower()
    with transaction.atomic():
        team = locked(team)
        if role not in grantable_by(user, team):
            raise PermissionDenied
        if team.is_personal:
            raise Refused(_("A personal team has one member. Create a team, then invite people into it."))
        if Membership.objects.filter(team=team, user__email__iexact=email).exists():
            raise Refused(_("%(email)s is already in this team.") % {"email": email})
        Invitation.objects.open().filter(team=team, email__iexact=email).update(revoked=timezone.now())
        token = Invitation.new_token()
        invitation = Invitation.objects.create(
            team=team, email=email, role=role, invited_by=user, token_hash=Invitation.hash(token)
        )
    link = base_url.rstrip("/") + reverse("accounts:invitation", args=[token])
    if settings.EMAIL_CONFIGURED and _mail_invitation(invitation, link):
        invitation.mailed = timezone.now()
        invitation.save(update_fields=["mailed"])
    return invitation, link


def _mail_invitation(invitation: Invitation, link: str) -> bool:
    """Whether the letter could be handed to the mail server. A failure is logged: the inviter still has the link."""
    facts = {"invitation": invitation, "link": link}
    subject = " ".join(render_to_string("emails/invitation_subject.txt", facts).split())
    try:
        send_mail(subject, render_to_string("emails/invitation.txt", facts), None, [invitation.email])
    except (OSError, SMTPException):
        log.exception("could not mail invitation %s", invitation.pk)
        return False
    return True


def find_invitation(token: str) -> Invitation:
    """The invitation behind a link. Refused, saying why, when it cannot be accepted (any more)."""
    invitation = Invitation.objects.by_token(token).select_related("team", "invited_by").first()
    if invitation is None:
        raise Refused(_("This invitation does not exist. Check that the whole link was copied."))
    if invitation.accepted:
        raise Refused(_("This invitation was used already. Sign in with the account it made."))
    if invitation.revoked:
        raise Refused(_("This invitation was withdrawn. Ask for a new one."))
    if invitation.expires <= timezone.now():
        raise Refused(_("This invitation has expired. Ask for a new one."))
    return invitation


@transaction.atomic
def accept_invitation(
    *, token: str, user: User | None = None, name: str | None = None, password: str | None = None
) -> Membership:
    """Lets a person into the team: the signed-in `user`, or a new one with `name` and `password`.

    The address is the invitation's: an account of another address cannot use it, and for one that has an account
    already its owner has to sign in first. Refused, saying why, in these cases and where the link is no longer good.
    ValidationError for a password that breaks the rules.
    """
    invitation = find_invitation(token)
    if user is None:
        validate_password(password or "", User(email=invitation.email, name=name or ""))
        if User.objects.filter(email__iexact=invitation.email).exists():
            raise Refused(_("You have an account already. Sign in, then open the invitation again."))
    elif user.email.lower() != invitation.email.lower():
        raise Refused(_("This invitation is for %(email)s. Sign in as that person.") % {"email": invitation.email})
    # The conditional UPDATE is what makes a link work once, whatever happens at the same time.
    if not Invitation.objects.open().filter(pk=invitation.pk).update(accepted=timezone.now()):
        raise Refused(_("This invitation was used already. Sign in with the account it made."))
    if user is None:
        user = create_person(email=invitation.email, name=name or "", password=password)
    membership, _made = Membership.objects.get_or_create(
        team=invitation.team, user=user, defaults={"role": invitation.role}
    )
    return membership


def revoke_invitation(*, user: User, invitation: Invitation) -> None:
    """Makes an open invitation's link worthless. PermissionDenied for a role that `user` may not give."""
    if invitation.role not in grantable_by(user, invitation.team):
        raise PermissionDenied
    Invitation.objects.open().filter(pk=invitation.pk).update(revoked=timezone.now())
