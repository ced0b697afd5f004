"""What a team teaches and has taught; one of it as a draft, or as it runs, with its points."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Media, Upload
from gallery.views.tiles import tiles
from generator.models import Adapter, Checkpoint, Training, TrainingPicture
from generator.services import Refused, trainings
from generator.training_forms import ComparisonForm, ScratchForm, TrainingForm
from generator.views.trainings.grid import asking, comparison
from generator.views.trainings.showing import RELATED, curve, lent, points_of

SHOWN = 60
SHOWN_OF_SET, SHOWN_WORDS = 24, 40


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The three doors, what is under way, and the adapters that came of it."""
    found = Training.objects.visible_to(request.user).filter(team=request.team).select_related(*RELATED)
    taught = Adapter.objects.filter(training__team=request.team).select_related("training__owner")
    models = Checkpoint.objects.filter(training__team=request.team).select_related("training__owner")
    borrowed = [
        one
        for kind in (Checkpoint, Adapter)
        for one in kind.objects.enabled()
        .filter(teams=request.team, training__isnull=False)
        .exclude(training__team=request.team)
        .select_related("training__team")
        .order_by("name", "-version")
    ]
    context = {
        "trainings": found[:SHOWN],
        "taught": [
            *models.order_by("-is_enabled", "name", "-version"),
            *taught.order_by("-is_enabled", "name", "-version"),
        ],
        "borrowed": borrowed,
        "may_teach": can(request.user, Action.CREATE, request.team),
        "may_curate": can(request.user, Action.CURATE, request.team),
    }
    return render(request, "generator/trainings.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Something new of the team that the person works in: its name first, its pictures then."""
    if kind not in (Training.Kind.SUBJECT, Training.Kind.STYLE):
        raise Http404
    may_teach = can(request.user, Action.CREATE, request.team)
    form = TrainingForm(request.POST or None, kind=kind, user=request.user, team=request.team)
    if request.method == "POST":
        if not may_teach:
            raise PermissionDenied
        if form.is_valid():
            try:
                made = trainings.draft_training(user=request.user, team=request.team, kind=kind, **form.wanted())
                return redirect("generator:training", made.pk)
            except Refused as refusal:
                form.add_error(None, str(refusal))
    context = {"form": form, "kind": kind, "may_teach": may_teach}
    return render(request, "generator/training_new.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_scratch(request: HttpRequest) -> HttpResponse:
    """A model of nothing but a data set."""
    may_teach = can(request.user, Action.CREATE, request.team)
    form = ScratchForm(request.POST or None, user=request.user, team=request.team)
    if request.method == "POST":
        if not may_teach:
            raise PermissionDenied
        if form.is_valid():
            try:
                made = trainings.draft_scratch(user=request.user, team=request.team, **form.wanted())
                return redirect("generator:training", made.pk)
            except Refused as refusal:
                form.add_error(None, str(refusal))
    context = {"form": form, "may_teach": may_teach}
    return render(request, "generator/training_scratch_new.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A draft with its pictures, or how far it is and what it has learned."""
    return shown(request, visible(request, pk))


@login_required
@require_safe
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of the page that moves while it learns; when it has ended, all of the page is asked for anew."""
    found = visible(request, pk)
    if found.is_draft:
        raise Http404
    if request.htmx and not found.is_under_way:
        return HttpResponseClientRefresh()
    return render(request, "generator/_training_run.html", _running(request, found))


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Other settings for a draft."""
    found = changeable(request, pk)
    form = TrainingForm(request.POST, kind=found.kind, user=request.user, team=found.team)
    if form.is_valid():
        try:
            trainings.change_training(user=request.user, training=found, **form.wanted())
            messages.success(request, _("Saved."))
            return redirect("generator:training", found.pk)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return shown(request, visible(request, pk), 422, form=form)


def shown(request: HttpRequest, training: Training, status: int = 200, **extra: Any) -> HttpResponse:
    """The page of one training."""
    if not training.is_draft:
        return render(request, "generator/training.html", _whole(request, training, **extra), status=status)
    if training.is_scratch:
        return render(request, "generator/training_scratch.html", _data_set(request, training) | extra, status=status)
    pictures = list(training.pictures.filter(removed=None))
    values = TrainingForm.values_of(training)
    context = {
        **common(request, training),
        "pictures": pictures,
        "ready": trainings.readiness(training),
        "form": TrainingForm(initial=values, kind=training.kind, user=request.user, team=training.team),
        "whose": Upload.Whose.choices,
        "people": TrainingPicture.People.choices,
        **extra,
    }
    try:
        spec = trainings.plan(training, len(pictures))
        context |= {"spec": spec, "cost": trainings.cost_of(training, spec), "phrase": spec.caption("")}
    except Refused as refusal:
        context["refusal"] = str(refusal)
    return render(request, "generator/training_draft.html", context, status=status)


def _data_set(request: HttpRequest, training: Training) -> dict[str, Any]:
    there = training.usable_set
    words = there.order_by().values_list("caption").annotate(n=Count("pk")).order_by("-n", "caption")
    seen = Media.objects.visible_to(request.user).kept().filter(learned_as__in=there.order_by())
    whose = dict(Upload.Whose.choices)
    rights = there.order_by().values_list("rights").annotate(n=Count("pk")).order_by("-n")
    context = {
        **common(request, training),
        "count": there.count(),
        "tiles": tiles(seen.order_by("learned_as__order")[:SHOWN_OF_SET], request.user),
        "words": words[:SHOWN_WORDS],
        "rights": [(whose.get(name, name), n) for name, n in rights],
        "ready": trainings.readiness(training),
    }
    try:
        spec = trainings.plan(training, context["count"])
        context |= {"spec": spec, "cost": trainings.cost_of(training, spec)}
    except Refused as refusal:
        context["refusal"] = str(refusal)
    return context


def _running(request: HttpRequest, training: Training) -> dict[str, Any]:
    return {
        **common(request, training),
        "chart": curve(training),
        "points": points_of(training),
        "left": trainings.time_left(training),
        "count": training.pictures.filter(removed=None).count(),
        "pictures": training.pictures.select_related("stated_by")[:SHOWN],
        "versions": training.followers.all(),
    }


def _whole(request: HttpRequest, training: Training, compare_form: ComparisonForm | None = None) -> dict[str, Any]:
    told = {"lent": lent(training, request.user)}
    parts = (_running(request, training), told, comparison(request, training), asking(request, training, compare_form))
    return {name: value for part in parts for name, value in part.items()}


def common(request: HttpRequest, training: Training) -> dict[str, Any]:
    may_change = Training.objects.changeable_by(request.user).filter(pk=training.pk).exists()
    may_teach = can(request.user, Action.CREATE, training.team)
    return {"training": training, "may_change": may_change, "may_teach": may_teach}


def visible(request: HttpRequest, pk: UUID) -> Training:
    """One that the person may see, else 404."""
    return get_object_or_404(Training.objects.visible_to(request.user).select_related(*RELATED), pk=pk)


def changeable(request: HttpRequest, pk: UUID) -> Training:
    """One that the person may change; 404 for who may not see it, 403 for who may only look."""
    found = visible(request, pk)
    if not Training.objects.changeable_by(request.user).filter(pk=pk).exists():
        raise PermissionDenied
    return found
