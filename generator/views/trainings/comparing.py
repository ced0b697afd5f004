"""Comparing the points of a training: what it would cost, its start, how far it is, its end before its time."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from generator import services
from generator.models import Batch
from generator.services import Refused, trainings
from generator.training_forms import ComparisonForm
from generator.views.trainings.grid import asking, comparison
from generator.views.trainings.pages import common, shown, visible


@login_required
@require_safe
def grid(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of the page that moves while pictures come."""
    training = visible(request, pk)
    found = comparison(request, training)
    if found["grid"] is None:
        raise Http404
    return render(request, "generator/_comparison_grid.html", {**common(request, training), **found})


@login_required
@require_safe
def cost(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the points and weights that are ticked would cost."""
    training = visible(request, pk)
    asked = asking(request, training, ComparisonForm(request.GET, training=training))
    return render(request, "generator/_comparison_cost.html", asked)


@login_required
@require_POST
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts one picture for each point and weight in line."""
    training = visible(request, pk)
    if not can(request.user, Action.CREATE, training.team):
        raise PermissionDenied
    form = ComparisonForm(request.POST, training=training)
    if form.is_valid():
        try:
            batch = trainings.compare_points(user=request.user, training=training, **form.wanted())
            pictures = batch.jobs.count()
            messages.success(request, _("%(n)d pictures are in line.") % {"n": pictures})
            return _back(pk)
        except IntegrityError:  # the button was pressed twice
            return _back(pk)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return shown(request, training, 422, compare_form=form)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID, batch: UUID) -> HttpResponse:
    """Stops what of a comparison has not ended."""
    training = visible(request, pk)
    found = get_object_or_404(Batch.objects.visible_to(request.user).filter(training=training), pk=batch)
    services.cancel_batch(user=request.user, batch=found)
    messages.success(request, _("Cancelled. Pictures that are done stay."))
    return _back(pk)


def _back(pk: UUID) -> HttpResponse:
    return redirect(f"{reverse('generator:training', args=[pk])}#comparison")
