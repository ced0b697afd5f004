"""The queue page: what runs, whose line holds what, and what may be stopped, moved and let go on.

Every change answers with the page's fragment, and without scripts leads back to the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap

from accounts.models import Team, User
from accounts.roles import Action
from generator import services
from generator.board import Board
from generator.forms import HoldForm, MoveForm
from generator.models import Batch, Hold, Job, Worker


@dataclass(frozen=True)
class Said:
    """What was done, in words, and the address that takes it back."""

    text: str
    undo_url: str = ""


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page, or what it shows now."""
    return render(request, "generator/_queue.html" if request.htmx else "generator/queue.html", _facts(request))


@login_required
@require_POST
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts a waiting job before another of the same person, or behind all of them."""
    job = _visible(request, pk)
    return _answer(request, lambda: services.move_job(user=request.user, job=job, before=_before(request)))


@login_required
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets a job rest; it keeps its place."""
    job = _visible(request, pk)

    def paused() -> Said:
        services.pause_job(user=request.user, job=job)
        return Said(_("Paused. It keeps its place in line."), reverse("generator:queue_resume", args=[pk]))

    return _answer(request, paused)


@login_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets it take its turn again."""
    job = _visible(request, pk)

    def resumed() -> Said:
        services.resume_job(user=request.user, job=job)
        return Said(_("It goes on when its turn comes."), reverse("generator:queue_pause", args=[pk]))

    return _answer(request, resumed)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stops it for good."""
    job = _visible(request, pk)

    def cancelled() -> Said:
        services.cancel_job(user=request.user, job=job)
        return Said(_("Cancelled."))

    return _answer(request, cancelled)


@login_required
@require_POST
def move_batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts what waits of a batch before another job of the same person, or behind all of them."""
    batch = _visible_batch(request, pk)
    return _answer(request, lambda: services.move_batch(user=request.user, batch=batch, before=_before(request)))


@login_required
@require_POST
def pause_batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets all of a batch rest."""
    batch = _visible_batch(request, pk)

    def paused() -> Said:
        services.pause_batch(user=request.user, batch=batch)
        return Said(_("The batch is paused and keeps its place."), reverse("generator:queue_batch_resume", args=[pk]))

    return _answer(request, paused)


@login_required
@require_POST
def resume_batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets it take its turns again."""
    batch = _visible_batch(request, pk)

    def resumed() -> Said:
        services.resume_batch(user=request.user, batch=batch)
        return Said(_("The batch goes on."), reverse("generator:queue_batch_pause", args=[pk]))

    return _answer(request, resumed)


@login_required
@require_POST
def cancel_batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stops all of it that has not ended."""
    batch = _visible_batch(request, pk)

    def cancelled() -> Said:
        services.cancel_batch(user=request.user, batch=batch)
        return Said(_("The rest of the batch is cancelled."))

    return _answer(request, cancelled)


def _before(request: HttpRequest) -> Job | None:
    """The job that something is to stand before; None for the end. Refused for one that is not to be seen."""
    form = MoveForm(request.POST, viewer=request.user)
    if not form.is_valid():
        raise services.Refused(_("The other job is not there any more."))
    return form.cleaned_data["before"]


@login_required
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Stops everything, a team, a person in it, or a worker."""
    form = HoldForm(request.POST, viewer=request.user)

    def held() -> Said:
        if not form.is_valid():
            raise services.Refused(_("What you wanted to pause is not there any more."))
        made = _hold(request.user, **form.cleaned_data)
        undo_url = reverse("generator:queue_release", args=[made.pk])
        return Said(_("Paused. What runs is finished, nothing new starts."), undo_url)

    return _answer(request, held)


def _hold(
    user: User, *, scope: str, team: Team | None, person: User | None, worker: Worker | None, reason: str, drain: bool
) -> Hold:
    if scope == Hold.Scope.TEAM:
        return services.hold_team(user=user, team=team, reason=reason)
    if scope == Hold.Scope.PERSON:
        return services.hold_person(user=user, team=team, person=person, reason=reason)
    if scope == Hold.Scope.WORKER:
        return services.hold_worker(user=user, worker=worker, reason=reason)
    return services.hold_everything(user=user, reason=reason, drain=drain)


@login_required
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets go on what was stopped."""
    mine = Q(team=None) | Q(team__in=Team.objects.pks_where(request.user, Action.VIEW))
    found = Hold.objects.filter(mine, pk=pk).select_related("team", "user", "worker").first()

    def released() -> Said:
        if found is None:
            return Said(_("It goes on already."))
        services.release(user=request.user, hold=found)
        return Said(_("It goes on."))

    return _answer(request, released)


def _facts(request: HttpRequest) -> dict[str, object]:
    return {"board": Board(request.user, request.team), "may_run_queue": services.may_run_queue(request.user)}


def _visible(request: HttpRequest, pk: UUID) -> Job:
    """404 for what the person cannot see; whether they may change it is for the service to say."""
    return get_object_or_404(Job.objects.visible_to(request.user), pk=pk)


def _visible_batch(request: HttpRequest, pk: UUID) -> Batch:
    return get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)


def _answer(request: HttpRequest, act: Callable[[], Said | None]) -> HttpResponse:
    """The page's fragment after `act`, with what it said as a toast; a refusal leaves the page as it is."""
    try:
        said = act()
    except services.Refused as refusal:
        if request.htmx:
            return reswap(render(request, "partials/_toast_oob.html", {"text": str(refusal)}, status=422), "none")
        messages.error(request, str(refusal))
        return redirect("generator:queue")
    if request.htmx:
        return render(request, "generator/_queue.html", {**_facts(request), "said": said})
    if said:
        messages.success(request, said.text)
    return redirect("generator:queue")
