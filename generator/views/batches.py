"""One batch: its page, its card, and what can be done with all of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap

from generator import services
from generator.models import Batch, State
from generator.services import datasets
from generator.views.batch_cards import BatchCard, batch_cards
from generator.views.cards import RELATED, cards

CELLS = 48  # jobs on a page of a batch
REASONS = 5
SHELVES = {
    "": (gettext_lazy("All"), State.values),
    "done": (gettext_lazy("Done"), [State.DONE]),
    "failed": (gettext_lazy("Failed"), [State.FAILED]),
    "open": (gettext_lazy("Still to come"), [State.RUNNING, State.QUEUED, State.PAUSED]),
    "cancelled": (gettext_lazy("Cancelled"), [State.CANCELLED]),
}


@login_required
@require_safe
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, what failed and why, and its jobs in their order; for scripts only the part that changes."""
    batch = _visible(request, pk)
    template = "generator/_batch.html" if request.htmx else "generator/batch.html"
    return render(request, template, _facts(request, batch))


@login_required
@require_safe
def card(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The card on the Create page as it is now."""
    return render(request, "generator/_batch_card.html", {"batch_card": _card(request, _visible(request, pk))})


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stops all of it."""
    return _act(request, pk, services.cancel_batch)


@login_required
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets it rest."""
    return _act(request, pk, services.pause_batch)


@login_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets it go on."""
    return _act(request, pk, services.resume_batch)


@login_required
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Makes the failed ones anew."""

    def again(*, user, batch: Batch) -> str:
        n = services.retry_failed(user=user, batch=batch)
        return ngettext("%(n)d job is tried again.", "%(n)d jobs are tried again.", n) % {"n": n}

    return _act(request, pk, again)


@login_required
@require_POST
def hide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes it off the Create page once it has ended."""

    def away(*, user, batch: Batch) -> str:
        services.hide_batch(user=user, batch=batch)
        return _("Taken off this page. Its pictures are in the gallery.")

    return _act(request, pk, away, then="generator:create")


def _act(request: HttpRequest, pk: UUID, act: Callable[..., str | None], then: str = "") -> HttpResponse:
    """The part of the page that changes after `act`; a refusal leaves it as it is. Without scripts the page."""
    batch = _visible(request, pk)
    try:
        said = act(user=request.user, batch=batch)
    except services.Refused as refusal:
        if request.htmx:
            return reswap(render(request, "partials/_toast_oob.html", {"text": str(refusal)}, status=422), "none")
        messages.error(request, str(refusal))
        return redirect("generator:batch", pk)
    if request.htmx:
        if then:
            return HttpResponse()
        return render(request, "generator/_batch.html", {**_facts(request, batch), "said": said})
    if said:
        messages.success(request, said)
    return redirect(then) if then else redirect("generator:batch", pk)


def _visible(request: HttpRequest, pk: UUID) -> Batch:
    """404 for what the person cannot see; whether they may change it is for the service to say."""
    return get_object_or_404(Batch.objects.visible_to(request.user).select_related("owner", "team"), pk=pk)


def _card(request: HttpRequest, batch: Batch) -> BatchCard:
    return batch_cards([batch], request.user)[0]


def _facts(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    card = _card(request, batch)
    shelf = request.GET.get("show", "")
    if shelf not in SHELVES:
        shelf = ""
    jobs = batch.jobs.visible_to(request.user).filter(hidden=False)
    shown = jobs.filter(state__in=SHELVES[shelf][1]).select_related(*RELATED).order_by("position", "pk")
    page = Paginator(shown, CELLS).get_page(request.GET.get("page"))
    failed = jobs.filter(state=State.FAILED).order_by().values("reason").annotate(n=Count("pk")).order_by("-n")
    return {
        "batch_card": card,
        "batch": batch,
        "cells": cards(page.object_list, request.user, outlooks=False),
        "page": page,
        "shelf": shelf,
        "shelves": [
            (name, label, sum(card.counts[state] for state in states)) for name, (label, states) in SHELVES.items()
        ],
        "reasons": list(failed[:REASONS]),
        "offer": datasets.offer(user=request.user, batch=batch) if card.is_finished else None,
        "bounds": {"least": datasets.LEAST, "usual": datasets.USUAL, "most": datasets.MOST},
    }
