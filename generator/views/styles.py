"""The styles of a team: what there are, how one came about, and changing them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Action
from gallery.links import media_url
from gallery.models import Media, Rendition
from generator import services
from generator.models import Job, StylePreset
from generator.team_forms import StyleForm


def with_samples(styles: QuerySet[StylePreset], viewer: User) -> list[StylePreset]:
    """`styles`, each with `picture`: the address of what shows it, as `viewer` may load it; "" where there is none."""
    found = list(styles)
    jobs = [style.sample_job for style in found if style.sample_job]
    drawn = Media.objects.visible_to(viewer).kept().filter(job__in=jobs, index=0) if jobs else []
    made = {media.job: media_url(media, Rendition.Kind.TILE, viewer) for media in drawn}
    for style in found:
        style.picture = made.get(style.sample_job) or (static(style.sample) if style.sample else "")
    return found


def offered_styles(request: HttpRequest) -> list[StylePreset]:
    """What the composer's menu shows: the team's own first."""
    offered = with_samples(StylePreset.objects.offered_to(request.team), request.user)
    return sorted(offered, key=lambda style: style.team_id is None)


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The team's styles, those it has retired, and those that ship."""
    own = with_samples(StylePreset.objects.filter(team=request.team), request.user)
    drawing = Job.objects.filter(pk__in=[style.sample_job for style in own if style.sample_job]).unfinished()
    context = {
        "styles": [style for style in own if style.is_enabled],
        "retired": [style for style in own if not style.is_enabled],
        "shipped": with_samples(StylePreset.objects.filter(team=None, is_enabled=True), request.user),
        "drawing": set(drawing.values_list("pk", flat=True)),
        "may_change": can(request.user, Action.CURATE, request.team),
    }
    return render(request, "generator/styles.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A new style of the team that the person works in."""
    form = StyleForm(request.POST or None)
    may_change = can(request.user, Action.CURATE, request.team)
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid():
            try:
                return _drawn(request, services.add_style(user=request.user, team=request.team, **form.cleaned_data))
            except services.Refused as refusal:
                form.add_error(None, str(refusal))
    context = {"form": form, "may_change": may_change}
    return render(request, "generator/style.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def style(request: HttpRequest, pk: int) -> HttpResponse:
    """One style of the team: to read with its earlier versions, and to change."""
    return _page(request, _visible(request, pk))


@login_required
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other words, or another sample."""
    found = _visible(request, pk)
    if not can(request.user, Action.CURATE, found.team):
        raise PermissionDenied
    form = StyleForm(request.POST, initial=_values(found))
    if not form.is_valid():
        return _page(request, found, 422, form=form)
    if services.change_style(user=request.user, style=found, **form.cleaned_data):
        found.refresh_from_db()
        return _drawn(request, found)
    messages.success(request, _("Saved."))
    return redirect("generator:styles")


@login_required
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Out of the menus (on=1), or back into them (on=0)."""
    found = _visible(request, pk)
    services.retire_style(user=request.user, style=found, retired=request.POST.get("on") != "0")
    return redirect("generator:styles")


@login_required
@require_POST
def sample(request: HttpRequest, pk: int) -> HttpResponse:
    """Draws the sample again."""
    return _drawn(request, _visible(request, pk))


def _drawn(request: HttpRequest, style: StylePreset) -> HttpResponse:
    try:
        services.draw_sample(user=request.user, style=style)
    except services.Refused as refusal:
        messages.warning(request, _("Saved, but without a new sample: %(why)s") % {"why": refusal})
    else:
        messages.success(request, _("Saved. The sample is being drawn."))
    return redirect("generator:styles")


def _visible(request: HttpRequest, pk: int) -> StylePreset:
    return get_object_or_404(StylePreset, Q(team=request.team), pk=pk)


def _values(style: StylePreset) -> dict[str, Any]:
    return {name: getattr(style, name) for name in ("name", "template", "negative", "families", "sample_prompt")}


def _page(request: HttpRequest, style: StylePreset, status: int = 200, **extra: object) -> HttpResponse:
    [shown] = with_samples(StylePreset.objects.filter(pk=style.pk), request.user)
    context = {
        "style": shown,
        "form": StyleForm(initial=_values(style)),
        "versions": style.versions.select_related("made_by"),
        "may_change": can(request.user, Action.CURATE, request.team),
    }
    return render(request, "generator/style.html", {**context, **extra}, status=status)
