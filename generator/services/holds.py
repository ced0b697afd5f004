"""Stopping and releasing: everything, a team, a person, a worker."""

import logging

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator import events, queue
from generator.models import Hold, Worker

log = logging.getLogger(__name__)


def hold_everything(*, user: User, reason: str = "", drain: bool = False) -> Hold:
    """No job is claimed any more. With `drain`, because a deployment is near, and people are told so."""
    _check_may_run_queue(user)
    return _hold(user, reason, {"scope": Hold.Scope.EVERYTHING}, is_drain=drain)


def hold_team(*, user: User, team: Team, reason: str = "") -> Hold:
    """The waiting jobs of a team rest."""
    _check_may_manage(user, team)
    return _hold(user, reason, {"scope": Hold.Scope.TEAM, "team": team})


def hold_person(*, user: User, team: Team, person: User, reason: str = "") -> Hold:
    """The waiting jobs of one person in a team rest. Everybody may hold their own."""
    if user != person or not can(user, Action.CREATE, team):
        _check_may_manage(user, team)
    return _hold(user, reason, {"scope": Hold.Scope.PERSON, "team": team, "user": person})


def hold_worker(*, user: User, worker: Worker, reason: str = "") -> Hold:
    """A worker finishes its job and takes no other."""
    _check_may_run_queue(user)
    with transaction.atomic():
        Worker.objects.filter(pk=worker.pk).update(is_paused=True)
        return _hold(user, reason, {"scope": Hold.Scope.WORKER, "worker": worker})


def release(*, user: User, hold: Hold) -> None:
    """Ends a hold; what waited for it may start. A person ends only a hold that they set on themselves."""
    if hold.scope == Hold.Scope.TEAM or (hold.scope == Hold.Scope.PERSON and hold.by_id != user.pk):
        _check_may_manage(user, hold.team)
    elif hold.scope != Hold.Scope.PERSON:
        _check_may_run_queue(user)
    with transaction.atomic():
        Worker.objects.filter(pk=hold.worker_id).update(is_paused=False)
        Hold.objects.filter(pk=hold.pk).delete()
        log.info("person %s released hold %s (%s)", user.pk, hold.pk, hold.scope)
        transaction.on_commit(lambda: _tell(hold))
        transaction.on_commit(lambda: queue.wake_workers(Worker.objects.alive().count()))


def may_run_queue(user: User) -> bool:
    """Whether `user` may stop workers and the whole queue."""
    return user.is_active and user.has_perm("generator.change_hold")


def _hold(user: User, reason: str, target: dict, **fields: object) -> Hold:
    with transaction.atomic():
        hold, _created = Hold.objects.update_or_create(**target, defaults={"by": user, "reason": reason, **fields})
        log.info("person %s set hold %s (%s)", user.pk, hold.pk, hold.scope)
        transaction.on_commit(lambda: _tell(hold))
    return hold


def _tell(hold: Hold) -> None:
    """Browsers of those whose jobs wait ask anew how these stand."""
    concerned = queue.waiting().filter(Q(team=hold.team_id) if hold.team_id else Q())
    if hold.user_id:
        concerned = concerned.filter(owner=hold.user_id)
    events.tell_queue_changed(concerned.order_by().values_list("owner", flat=True).distinct())


def _check_may_manage(user: User, team: Team | None) -> None:
    if not (may_run_queue(user) or (team and can(user, Action.MANAGE_JOBS, team))):
        raise PermissionDenied


def _check_may_run_queue(user: User) -> None:
    if not may_run_queue(user):
        raise PermissionDenied
