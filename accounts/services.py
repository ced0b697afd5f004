"""People, teams, invitations and quotas: the only writers. The text of a `Refused` is meant for whoever asked."""

import logging
import secrets
from datetime import date
from functools import partial
from smtplib import SMTPException
from typing import cast

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.live import publish_access_changed
from accounts.models import Invitation, Membership, Team, Usage, User
from accounts.permissions import can
from accounts.roles import Action, Role, grantable

log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """What was asked for is against a rule; the text says which, in words for the person who asked."""


class QuotaExceeded(Refused):
    """More pictures were asked for than are `left` of the day's `limit`."""

    def __init__(self, *, left: int, limit: int) -> None:
        """Words the refusal: how many are left today, and of how many."""
        self.left, self.limit = left, limit
        super().__init__(
            ngettext(
                "You have %(left)d of %(limit)d picture left today. Ask for fewer, or come back tomorrow.",
                "You have %(left)d of %(limit)d pictures left today. Ask for fewer, or come back tomorrow.",
                limit,
            )
            % {"left": left, "limit": limit}
        )


# --- People ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_person(*, email: str, name: str = "", password: str | None = None, **fields: object) -> User:
    """A new person with a team of their own. `password` None: they cannot sign in until they are given one.

    `fields` are further columns of User (is_staff, must_change_password...). Refused for an address that is taken.
    """
    if User.objects.filter(email__iexact=email.strip()).exists():
        raise Refused(_("There is already an account with the address %(email)s.") % {"email": email})
    user = User.objects.create_user(email.strip(), password, name=name.strip(), **fields)
    ensure_personal_team(user)
    return user


def ensure_personal_team(user: User) -> Team:
    """The team that `user` has alone, made now for people who came another way than `create_person`."""
    with transaction.atomic():
        team, _made = Team.objects.get_or_create(personal_of=user, defaults={"name": _("Personal")})
        Membership.objects.get_or_create(team=team, user=user, defaults={"role": Role.OWNER})
    return team


def give_one_time_password(*, user: User) -> str:
    """A password to tell `user` once: the next sign-in with it asks for a new one. Only its hash is kept."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    return password


def password_reset_link(*, user: User, base_url: str) -> str:
    """A link by which `user` chooses a new password, for an administrator to pass on; good for PASSWORD_RESET_TIMEOUT.

    `base_url` is what comes before the path, such as "https://studio.example/".
    """
    token = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return base_url.rstrip("/") + reverse("account_reset_password_from_key", kwargs=token)


def set_active(*, user: User, active: bool) -> None:
    """Lets a person in, or shuts them out at once: their open pages lose their sockets too."""
    with transaction.atomic():
        user.is_active = active
        user.save(update_fields=["is_active"])
        _access_changed(user.pk)


# --- Teams ----------------------------------------------------------------------------------------------------------


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
    team = _locked(membership.team)
    membership.refresh_from_db(fields=["role"])
    if not {membership.role, role} <= set(_grantable_by(user, team)):
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
    team = _locked(membership.team)
    membership.refresh_from_db(fields=["role"])
    if membership.role not in _grantable_by(user, team):
        raise PermissionDenied
    _drop(team, membership)


@transaction.atomic
def leave_team(*, user: User, team: Team) -> None:
    """Takes `user` out of `team` by their own wish. Refused for a personal team and for its last owner."""
    team = _locked(team)
    membership = Membership.objects.filter(team=team, user=user).first()
    if membership is None:
        raise PermissionDenied
    _drop(team, membership)


def _drop(team: Team, membership: Membership) -> None:
    if team.personal_of_id == membership.user_id:
        raise Refused(_("Everybody keeps their personal team."))
    _keep_an_owner(team, without=membership)
    _revoke_invitations_beyond(team, membership.user_id, [])
    membership.delete()
    _access_changed(membership.user_id)


def _locked(team: Team) -> Team:
    """`team`, its membership changes held back until this transaction ends: two owners cannot both go at once."""
    return Team.objects.select_for_update(no_key=True).get(pk=team.pk)


def _keep_an_owner(team: Team, *, without: Membership) -> None:
    owners = Membership.objects.filter(team=team, role=Role.OWNER)
    if without.role == Role.OWNER and not owners.exclude(pk=without.pk).exists():
        raise Refused(_("A team needs an owner: make somebody else an owner first."))


def _grantable_by(user: User, team: Team) -> list[Role]:
    """The roles that `user` may give and take in `team`: an administrator all of them, an outsider none."""
    if user.is_superuser and user.is_active:
        return list(Role)
    if not can(user, Action.MANAGE_PEOPLE, team):
        return []
    return grantable(Role(Membership.objects.get(team=team, user=user).role))


def _access_changed(user_id: int) -> None:
    transaction.on_commit(partial(publish_access_changed, user_id))


# --- Invitations ----------------------------------------------------------------------------------------------------


def invite(*, user: User, team: Team, email: str, role: Role, base_url: str) -> tuple[Invitation, str]:
    """A link, good for a week, that lets the person with that address into `team`; it replaces an earlier one.

    Mails it where mail is set up (`invitation.mailed` says whether that worked). Only the hash is kept, so this is the
    one moment to show the link. `base_url` is what comes before the path, such as "https://studio.example/".
    PermissionDenied for a role that `user` may not give; Refused for a personal team and for a member.
    """
    email = email.strip().lower()
    with transaction.atomic():
        team = _locked(team)
        if role not in _grantable_by(user, team):
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
    if invitation.role not in _grantable_by(user, invitation.team):
        raise PermissionDenied
    Invitation.objects.open().filter(pk=invitation.pk).update(revoked=timezone.now())


def _revoke_invitations_beyond(team: Team, user_id: int, roles: list[Role]) -> None:
    """Whoever loses a right must not keep it in the shape of links given out before."""
    mine = Invitation.objects.open().filter(team=team, invited_by=user_id)
    mine.exclude(role__in=roles).update(revoked=timezone.now())


# --- Quota ----------------------------------------------------------------------------------------------------------


def left_today(user: User) -> int:
    """How many pictures `user` may still ask for today, over all teams."""
    return max(0, daily_limit(user) - _used(user, timezone.localdate()))


def charge(*, user: User, team: Team, pictures: int) -> date:
    """Books `pictures` on today's ledger and returns the day, which `refund` needs. QuotaExceeded books nothing.

    The person's row is locked until the caller's transaction ends, so that two requests cannot spend the same rest.
    """
    day = timezone.localdate()
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        left = max(0, daily_limit(locked) - _used(locked, day))
        if pictures > left:
            raise QuotaExceeded(left=left, limit=daily_limit(locked))
        Usage.objects.update_or_create(
            user=locked,
            team=team,
            day=day,
            defaults={"pictures": F("pictures") + pictures},
            create_defaults={"pictures": pictures},
        )
    return day


def refund(*, user: User, team: Team, pictures: int, day: date) -> None:
    """Gives back what was charged on `day` for pictures that were never delivered."""
    Usage.objects.filter(user=user, team=team, day=day).update(pictures=Greatest(F("pictures") - pictures, 0))


def daily_limit(user: User) -> int:
    """How many pictures a day `user` may ask for: their own number, or the installation's."""
    own = user.pictures_per_day
    return settings.PICTURES_PER_DAY if own is None else own


def _used(user: User, day: date) -> int:
    return Usage.objects.filter(user=user, day=day).aggregate(n=Sum("pictures"))["n"] or 0
