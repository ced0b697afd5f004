"""API keys: made and shown once, used by scripts, taken back."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiKey, Team, User
from accounts.permissions import can
from accounts.prepared import Prepared
from accounts.roles import Action
from accounts.services.refused import Refused

MOST_KEYS = 50  # valid ones of one person: more than anybody keeps in mind, and a script that makes them is stopped
_UNREVOKED: Prepared[ApiKey] = Prepared(
    lambda token_hash: ApiKey.objects.unrevoked().by_hash(token_hash).select_related("user", "team"), token_hash=str
)
USE_NOTED_EVERY = timedelta(minutes=1)  # so that a busy script does not write a row with each of its requests


def create_api_key(
    *, user: User, name: str, scope: str = ApiKey.Scope.READ, days: int | None = None, team: Team | None = None
) -> tuple[ApiKey, str]:
    """A new key of `user`, and the token to show this once. `days` None: it does not expire.

    `team` is where pictures go when a request names none; None: the personal one. PermissionDenied for a team that the
    person is not in, Refused for somebody who has MOST_KEYS already.
    """
    if team and not can(user, Action.VIEW, team):
        raise PermissionDenied
    if ApiKey.objects.valid().filter(user=user).count() >= MOST_KEYS:
        raise Refused(_("You have %(n)d keys. Revoke one that you no longer use.") % {"n": MOST_KEYS})
    token = ApiKey.new_token()
    key = ApiKey.objects.create(
        user=user,
        name=name.strip(),
        hint=token[:8],
        token_hash=ApiKey.hash(token),
        scope=scope,
        team=team,
        expires=None if days is None else timezone.now() + timedelta(days=days),
    )
    return key, token


def revoke_api_key(*, user: User, key: ApiKey) -> None:
    """Makes a key worthless at once. PermissionDenied unless it is one's own; an administrator may revoke any."""
    if key.user_id != user.pk and not (user.is_superuser and user.is_active):
        raise PermissionDenied
    ApiKey.objects.filter(pk=key.pk, revoked=None).update(revoked=timezone.now())


def key_behind(token: str) -> ApiKey | None:
    """The valid key that `token` is, with its person; its use is noted. None for anything else."""
    key = _UNREVOKED.first(token_hash=ApiKey.hash(token))
    if key is None or key.has_expired:
        return None
    now = timezone.now()
    if key.last_used is None or now - key.last_used >= USE_NOTED_EVERY:
        stale = Q(last_used=None) | Q(last_used__lte=now - USE_NOTED_EVERY)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used=now)
    return key
