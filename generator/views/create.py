"""The Create page: the composer, and what it has asked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Media
from generator import services
from generator.batch_forms import MatrixForm
from generator.diffusion.spec import SCHEDULERS
from generator.formats import FORMATS
from generator.forms import GUIDES, MAX_PICTURES, GenerationForm, SizeForm, values_of
from generator.models import Adapter, Batch, Checkpoint, Job
from generator.views import asking
from generator.views.batch_cards import batch_cards
from generator.views.cards import RELATED, cards
from generator.views.styles import offered_styles

PAGE = 8


@login_required
@require_safe
def create(request: HttpRequest) -> HttpResponse:
    """The composer, filled as the person last sent it, above their jobs in this team."""
    if request.htmx and "before" in request.GET:
        return render(request, "generator/create.html#page", _jobs(request))
    return render(request, "generator/create.html", _jobs(request) | _composer(request, _last_form(request)))


@login_required
@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Puts pictures in line and answers with the job's card; or with the composer, nothing typed lost, and why not.

    A prompt with choices first gets an answer that says what they would cost.
    """
    form = MatrixForm(request.POST, team=request.team, user=request.user)
    if form.is_valid():
        try:
            if len(form.prompts) > 1:
                return asking.confirm(request, form, form.generations())
            job = services.create_generation(user=request.user, team=request.team, **form.single())
        except services.LicenceNotAccepted as refusal:
            form.add_error(None, str(refusal))
            form.licence = refusal.asset
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if request.htmx:
                return render(request, "generator/_submitted.html", {"card": cards([job], request.user)[0]})
            return redirect("generator:create")
    if request.htmx:
        response = render(request, "generator/_composer.html", _composer(request, form), status=422)
        return reswap(retarget(response, "#composer"), "outerHTML")
    return render(request, "generator/create.html", _jobs(request) | _composer(request, form), status=422)


@login_required
@require_safe
def estimate(request: HttpRequest) -> HttpResponse:
    """How long the request would take and how many pictures are left today, as a line of the composer."""
    form = SizeForm(request.GET)
    if not form.is_valid():
        return render(request, "generator/_estimate.html", {"estimate": None})
    wanted = form.cleaned_data
    guess = _estimate(request, wanted["checkpoint"], wanted["format"], wanted["count"], wanted["steps"])
    return render(request, "generator/_estimate.html", {"estimate": guess})


def _estimate(
    request: HttpRequest, checkpoint: Checkpoint, proportions: str, count: int, steps: int | None
) -> services.Estimate:
    width, height = FORMATS[proportions].size(checkpoint.native_size)
    steps = steps or checkpoint.default_steps
    return services.estimate(
        user=request.user, checkpoint=checkpoint, width=width, height=height, count=count, steps=steps
    )


def _own_jobs(request: HttpRequest) -> QuerySet[Job]:
    own = Job.objects.visible_to(request.user).filter(owner=request.user, team=request.team)
    return own.select_related(*RELATED).order_by("-created", "-id")


def _own_batches(request: HttpRequest) -> QuerySet[Batch]:
    own = Batch.objects.visible_to(request.user).filter(owner=request.user, team=request.team)
    return own.select_related("owner", "team").order_by("-created", "-id")


def _jobs(request: HttpRequest) -> dict[str, Any]:
    """A page of the person's jobs and batches, from the newest, or from after the one that the address names."""
    jobs = _own_jobs(request).filter(hidden=False, batch=None)
    batches = _own_batches(request).filter(hidden=False)
    if before := request.GET.get("before"):
        created = _created(request, before)
        jobs, batches = jobs.filter(created__lt=created), batches.filter(created__lt=created)
    found = sorted([*jobs[: PAGE + 1], *batches[: PAGE + 1]], key=lambda one: one.created, reverse=True)
    shown = found[:PAGE]
    made = {card.job.pk: card for card in cards([one for one in shown if isinstance(one, Job)], request.user)}
    asked = batch_cards([one for one in shown if isinstance(one, Batch)], request.user)
    made |= {card.batch.pk: card for card in asked}
    return {"cards": [made[one.pk] for one in shown], "next": shown[-1].pk if len(found) > PAGE else None}


def _created(request: HttpRequest, pk: str) -> datetime:
    """When the person asked for the job or batch of that id. 404 for any other."""
    try:
        wanted = UUID(pk)
    except ValueError as error:
        raise Http404 from error
    found = [*_own_jobs(request).filter(pk=wanted), *_own_batches(request).filter(pk=wanted)]
    if not found:
        raise Http404
    return found[0].created


def _last_form(request: HttpRequest) -> GenerationForm:
    """The composer as last sent (its seed drawn anew), or with the defaults of the model that is chosen at first."""
    own = _own_jobs(request).filter(generation__checkpoint__is_enabled=True, generation__way=Media.Way.TEXT)
    last = own.filter(Q(batch=None) | Q(batch__origin=Batch.Origin.MATRIX)).select_related("batch").first()
    if last:
        values = values_of(last.generation, seed=False) | {"visibility": last.visibility}
        if last.batch:
            values["prompt"] = last.batch.template
        if last.generation.style and last.generation.checkpoint.family not in last.generation.style.families:
            values["style"] = ""  # an administrator has changed what it suits since
        return GenerationForm(initial=values, team=request.team, user=request.user)
    checkpoint = Checkpoint.objects.enabled().first()
    defaults = {"format": next(iter(FORMATS)), "count": 4, "visibility": "team", "style": ""}
    if checkpoint:
        defaults |= {
            "checkpoint": checkpoint.slug,
            "steps": checkpoint.default_steps,
            "guidance": f"{checkpoint.default_guidance:g}",
            "scheduler": checkpoint.default_scheduler,
        }
    return GenerationForm(initial=defaults, team=request.team)


def _composer(request: HttpRequest, form: GenerationForm) -> dict[str, Any]:
    """What the composer offers, and which of it is chosen."""
    may_create = can(request.user, Action.CREATE, request.team)
    offered = Checkpoint.objects.offered_to(request.user, request.team) if may_create else Checkpoint.objects.enabled()
    checkpoints = list(offered)
    guides = services.guides_of_each(checkpoints, request.user, request.team)
    for one in checkpoints:
        one.guides = guides[one.slug]
    styles = offered_styles(request)
    checkpoint = _chosen(checkpoints, form["checkpoint"].value()) or next(iter(checkpoints), None)
    proportions = form["format"].value() if form["format"].value() in FORMATS else next(iter(FORMATS))
    count = int(form["count"].value()) if str(form["count"].value()).isdecimal() else 4
    count = min(max(count, 1), MAX_PICTURES)
    return {
        "form": form,
        "checkpoints": checkpoints,
        "checkpoint": checkpoint,
        "styles": styles,
        "style": _chosen(styles, form["style"].value()),
        "formats": FORMATS.values(),
        "format": FORMATS[proportions],
        "counts": range(1, MAX_PICTURES + 1),
        "count": count,
        "schedulers": [(name, _(label)) for name, label in SCHEDULERS.items()],
        "guides": GUIDES.items(),
        "guided": [one.name for one in checkpoints if one.guides],
        "estimate": _estimate(request, checkpoint, proportions, count, None) if checkpoint else None,
        "may_create": may_create,
        "adapters": Adapter.objects.offered_to(request.user, request.team).filter(kind__in=["lora", "embedding"]),
        "licence": (licence := getattr(form, "licence", None)),
        "licence_kind": "adapter" if isinstance(licence, Adapter) else "model",
    }


def _chosen(options: list, slug: str) -> Any:
    return next((option for option in options if option.slug == slug), None)
