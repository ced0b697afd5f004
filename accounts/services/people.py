"""People: made, let in, shut out, given passwords."""

import secrets
from functools import partial

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.live import publish_access_changed
from accounts.models import Membership, Team, User
from accounts.prepared import Prepared
from accounts.roles import Role
from accounts.services.refused import Refused


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


_PERSONAL: Prepared[Team] = Prepared(
    lambda user: Team.objects.filter(personal_of=user, memberships__user=user), user=User
)


def ensure_personal_team(user: User) -> Team:
    """The team that `user` has alone, made now for people who came another way than `create_person`."""
    if own := _PERSONAL.first(user=user):
        return own
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
        transaction.on_commit(partial(publish_access_changed, user.pk))
