"""The Edit page: a picture, what is to become of it, and what became of it."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery.links import ORIGINAL, media_url
from gallery.models import Media
from gallery.views.lineage import compare
from gallery.views.tiles import tiles
from generator import services
from generator.edit_forms import Edit, EditForm, upscalers
from generator.formats import FORMATS
from generator.models import Adapter, Checkpoint, Job, State
from generator.services.guides import STYLE
from generator.views.styles import offered_styles

ICONS = {
    Edit.PART: "brush",
    Edit.WHOLE: "wand-sparkles",
    Edit.SCENE: "layers",
    Edit.GARMENT: "shirt",
    Edit.EXTEND: "expand",
    Edit.VARY: "shuffle",
    Edit.UPSCALE: "scaling",
    Edit.HIRES: "sparkles",
    Edit.CUTOUT: "scissors",
}
OFFERED = list(Edit)


@login_required
@require_safe
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The picture on its table; the address may say which edit is chosen at first."""
    source = _source(request, pk)
    asked = request.GET.get("way", "")
    checkpoints = list(Checkpoint.objects.enabled())
    cutout = _cutout_of(source, request)
    guides = services.guides_of_each(checkpoints, request.user, request.team)
    context = {
        "source": source,
        "original": media_url(source, ORIGINAL, request.user),
        "ways": [(way, way.label, ICONS[way]) for way in OFFERED],
        "way": asked if asked in OFFERED else Edit.PART,
        "checkpoints": checkpoints,
        "checkpoint": _made_by(source, checkpoints),
        "styles": offered_styles(request),
        "formats": FORMATS.values(),
        "dressers": [one for one in checkpoints if STYLE in guides[one.slug]],
        "upscalers": upscalers(request.user, request.team),
        "has_near": source.seed is not None and source.recipe.get("way", "text") == Media.Way.TEXT,
        "cutout": media_url(cutout, ORIGINAL, request.user) if cutout else "",
        "may_create": can(request.user, Action.CREATE, request.team),
    }
    return render(request, "generator/edit.html", context)


@login_required
@require_POST
def make(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts an edit in line. To a script the job's addresses or what is wrong, as JSON; to a plain form a page."""
    source = _source(request, pk)
    cutout = _cutout_of(source, request)
    form = EditForm(request.POST, request.FILES, source=source, cutout=cutout, user=request.user, team=request.team)
    ask = ""
    if form.is_valid():
        try:
            job = services.create_generation(user=request.user, team=request.team, **form.arguments())
        except services.LicenceNotAccepted as refusal:
            form.add_error(None, str(refusal))
            ask = _licence_ask(request, refusal.asset)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if not request.accepts("text/html"):
                return JsonResponse(_addresses(job), status=201)
            return redirect("generator:job", job.pk)
    if not request.accepts("text/html"):
        return JsonResponse({"errors": form.errors, "licence": ask}, status=422)
    return render(request, "generator/edit_refused.html", {"source": source, "form": form}, status=422)


@login_required
@require_safe
def result(request: HttpRequest, pk: UUID, job: UUID) -> HttpResponse:
    """What became of an edit, beside the picture that it started from; nothing while it is at work."""
    found = get_object_or_404(Job.objects.visible_to(request.user).select_related("generation"), pk=job)
    source = get_object_or_404(Media.objects.visible_to(request.user), pk=pk, pk__in=[found.generation.source_id])
    if not found.is_finished:
        return HttpResponse(status=204)
    made = Media.objects.visible_to(request.user).kept().filter(job=found.pk).order_by("index")
    shown = tiles(made, request.user)
    context = {
        "source": source,
        "job": found,
        "is_done": found.state == State.DONE,
        "results": [(tile, compare(source, tile.media, request.user)) for tile in shown],
    }
    return render(request, "generator/_edit_result.html", context)


def _source(request: HttpRequest, pk: UUID) -> Media:
    """A picture that the person may go on with in their team. 404 for any other."""
    return get_object_or_404(Media.objects.reusable_by(request.user, request.team), pk=pk)


def _licence_ask(request: HttpRequest, asset: Checkpoint | Adapter) -> str:
    kind = "adapter" if isinstance(asset, Adapter) else "model"
    return render_to_string("generator/_licence_ask.html", {"asset": asset, "kind": kind}, request)


def _addresses(job: Job) -> dict[str, Any]:
    return {
        "job": str(job.pk),
        "result": reverse("generator:edit_result", args=[job.generation.source_id, job.pk]),
        "cancel": reverse("generator:cancel", args=[job.pk]),
    }


def _made_by(source: Media, checkpoints: list[Checkpoint]) -> Checkpoint | None:
    """The model that made the picture where it can still be chosen, else the usual one."""
    slug = source.recipe.get("checkpoint_slug")
    return next((one for one in checkpoints if one.slug == slug), next(iter(checkpoints), None))


def _cutout_of(source: Media, request: HttpRequest) -> Media | None:
    """This picture without its background, where it is that already or somebody has made it."""
    if source.way == Media.Way.CUTOUT:
        return source
    made = Media.objects.reusable_by(request.user, request.team).filter(made_from=source, way=Media.Way.CUTOUT)
    return made.filter(width=source.width, height=source.height).first()
