"""Who calls the API: a script by a bearer key, or a page by its session (then with the CSRF token)."""

from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from ninja.security import HttpBearer, SessionAuth

from accounts import limits
from accounts.models import ApiKey, Team
from accounts.permissions import can
from accounts.roles import Action
from accounts.services import ensure_personal_team, key_behind

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TooManyRequests(Exception):  # noqa: N818 (a decision, no malfunction)
    """A key was used more often than it may be; `request.rate` says when it may again."""


class BearerKey(HttpBearer):
    """`Authorization: Bearer atl_...`. The request goes on as the key's person; a key to read changes nothing."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        """The key. PermissionDenied where its scope does not reach, TooManyRequests when it is used too often."""
        key = key_behind(token)
        if key is None:
            return None
        if request.method not in SAFE and key.scope != ApiKey.Scope.WRITE:
            raise PermissionDenied(_("This key may only read. Make one with the scope “Read and change”."))
        request.user = key.user
        _keep_roles(request)
        request.team = SimpleLazyObject(lambda: _team_of(key))
        request.rate = limits.count(f"key.{key.pk}", times=settings.API_REQUESTS_PER_MINUTE, seconds=60)
        if request.rate.is_exceeded:
            raise TooManyRequests
        return key


def _team_of(key: ApiKey) -> Team:
    """Where pictures go: the key's own team, while its person is in it, else their personal one."""
    if key.team and can(key.user, Action.VIEW, key.team):
        return key.team
    return ensure_personal_team(key.user)


class OwnSession(SessionAuth):
    """The session of somebody who is signed in."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any | None:
        """The person."""
        if not (request.user.is_authenticated and request.user.is_active):
            return None
        _keep_roles(request)
        return request.user


def _keep_roles(request: HttpRequest) -> None:
    """As for a page that only shows (User.keep_roles). An async view may last as long as a job: it asks each time."""
    if request.method in ("GET", "HEAD") and not iscoroutinefunction(request.resolver_match.func):
        request.user.keep_roles()
