"""Where a person is signed in, and ending that."""

from datetime import timedelta
from time import monotonic

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.live import publish_access_changed
from accounts.models import User

NOTED_EVERY = timedelta(minutes=2)  # how exactly "last seen" is kept: a write with each request would cost too much
_MOST_REMEMBERED = 10_000
_noted: dict[str, float] = {}  # session key -> when this process noted it last (monotonic)


def note_session(request: HttpRequest) -> None:
    """Keeps when and with what a person was here last; at most once in NOTED_EVERY for each session."""
    key = request.session.session_key
    now = monotonic()
    if not key or now - _noted.get(key, float("-inf")) < NOTED_EVERY.total_seconds():
        return
    if len(_noted) >= _MOST_REMEMBERED:
        _noted.clear()
    _noted[key] = now
    limit = UserSession._meta.get_field("user_agent").max_length
    seen = {
        "user": request.user,
        "ip": get_adapter().get_client_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[:limit],
        "last_seen_at": timezone.now(),
    }
    UserSession.objects.update_or_create(session_key=key, defaults=seen)


def sessions_of(user: User) -> list[UserSession]:
    """Where `user` is signed in at this moment, the latest seen first; rows of sessions that ended are removed."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)


@transaction.atomic
def end_session(*, user: User, session: UserSession) -> None:
    """Signs `user` out there, in open pages too. PermissionDenied for somebody else's."""
    if session.user_id != user.pk:
        raise PermissionDenied
    _end(user, [session])


@transaction.atomic
def end_other_sessions(*, user: User, keep: str | None) -> int:
    """Signs `user` out everywhere but in the session with the key `keep`. Returns how many sessions ended."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=keep or ""))
    _end(user, others)
    return len(others)


def _end(user: User, sessions: list[UserSession]) -> None:
    Session.objects.filter(session_key__in=[session.session_key for session in sessions]).delete()
    UserSession.objects.filter(pk__in=[session.pk for session in sessions]).delete()
    transaction.on_commit(lambda: publish_access_changed(user.pk))


def forget_old_sessions() -> None:
    """Removes rows of sessions that have run out."""
    known = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    UserSession.objects.exclude(session_key__in=known).delete()
