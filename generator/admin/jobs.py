"""Jobs in the admin: what runs and ran, what it made, and what an administrator may do about it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, StackedInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.admin.pages import ReadOnly
from gallery.links import media_url
from gallery.models import Media, Rendition
from generator import services
from generator.models import Generation, Job, State
from generator.timeline import timeline

STATE_COLOURS = {
    State.QUEUED: "info",
    State.RUNNING: "primary",
    State.PAUSED: "warning",
    State.DONE: "success",
    State.FAILED: "danger",
}


def _attach_results(jobs: list[Job], viewer) -> None:
    """Gives each job the pictures that it made as (page in the admin, address of the tile), with one query for all."""
    made = defaultdict(list)
    for media in Media.objects.filter(job__in=[job.pk for job in jobs]).order_by("job", "index"):
        page = reverse("admin:gallery_media_change", args=[media.pk])
        made[media.job].append((page, media_url(media, Rendition.Kind.TILE, viewer)))
    for job in jobs:
        job.results = made[job.pk]


def _tiles(job: Job, css: str = "tiles") -> str:
    pictures = format_html_join("", '<a href="{}"><img src="{}" alt="" loading="lazy"></a>', job.results)
    return format_html('<span class="{}">{}</span>', css, pictures)


def _seconds(span: timedelta | None) -> str:
    return f"{span.total_seconds():.1f} s" if span is not None else "–"


class JobList(ChangeList):
    """A list whose rows know their pictures."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        _attach_results(self.result_list, request.user)


class GenerationInline(ReadOnly, StackedInline):
    """What was asked for."""

    model = Generation
    fields = [
        "prompt",
        "negative_prompt",
        ("checkpoint", "style", "scheduler"),
        ("format", "width", "height", "count"),
        ("steps", "guidance", "seed"),
    ]


@admin.register(Job)
class JobAdmin(ReadOnly, ModelAdmin):
    """Jobs. Their state is changed by services and workers only, since each arrow has consequences."""

    list_display = ["status", "prompt", "pictures", "owner", "team", "drawn_with", "waited", "took", "created"]
    list_display_links = ["status", "prompt"]
    list_filter = [
        "state",
        "quarantined",
        "kind",
        ("created", RangeDateTimeFilter),
        ("generation__checkpoint", AutocompleteSelectFilter),
        ("team", AutocompleteSelectFilter),
        ("owner", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["owner", "team", "generation__checkpoint"]
    search_fields = ["generation__prompt", "owner__email", "owner__name", "team__name", "reason", "worker"]
    show_full_result_count = False
    inlines = [GenerationInline]
    actions = ["cancel", "retry"]
    fieldsets = [
        (None, {"fields": ["all_pictures", ("state", "owner", "team"), "reason"]}),
        (
            _("Run"),
            {
                "fields": [
                    ("created", "started"),
                    ("first_step", "finished"),
                    ("waited", "took"),
                    ("worker", "cost"),
                    ("attempts", "retries", "quarantined"),
                    "request",
                ]
            },
        ),
        (_("What happened"), {"fields": ["phases", "traceback", "last_lines"]}),
    ]
    readonly_fields = ["all_pictures", "waited", "took", "created", "request", "phases", "traceback", "last_lines"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Imports of models and trainings have lists of their own."""
        return super().get_queryset(request).of_pictures()

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return JobList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        job = super().get_object(request, object_id, from_field)
        if job:
            _attach_results([job], request.user)
        return job

    def get_urls(self) -> list[URLPattern]:
        again = path("<uuid:pk>/again/", self.admin_site.admin_view(self.again), name="generator_job_again")
        return [again, *super().get_urls()]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may cancel and try again; nobody edits."""
        return request.user.has_perm("generator.change_job")

    def again(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Tries one job again. Reached by a link it asks first, as the dashboard does of what takes workers down."""
        if not self.has_run_permission(request):
            raise PermissionDenied
        job = get_object_or_404(Job.objects.select_related("owner", "team", "generation"), pk=pk)
        if request.method == "POST":
            self._run_again(request, [job])
            return redirect("admin:index")
        facts = {**self.admin_site.each_context(request), "title": _("Run again"), "job": job}
        return TemplateResponse(request, "admin/generator/job/again.html", facts)

    @admin.action(description=_("Cancel"), permissions=["run"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Those that have ended stay as they are."""
        jobs = list(queryset.unfinished())
        for job in jobs:
            services.cancel_job(user=request.user, job=job)
        messages.success(
            request, ngettext("%(n)d job cancelled.", "%(n)d jobs cancelled.", len(jobs)) % {"n": len(jobs)}
        )

    @admin.action(description=_("Run again, for whoever asked"), permissions=["run"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Each of the chosen jobs."""
        self._run_again(request, queryset.select_related("owner", "team"))

    def _run_again(self, request: HttpRequest, jobs: Iterable[Job]) -> None:
        """In the name of the owner, since the new pictures are theirs, and so is the quota. The new job's card takes
        the place of one that has ended."""
        started = 0
        for job in jobs:
            try:
                services.retry_job(user=job.owner, job=job)
                if job.is_finished:
                    services.hide_job(user=job.owner, job=job)
            except services.Refused as refusal:
                messages.error(request, f"{job.owner}: {refusal}")
            except PermissionDenied:
                messages.error(request, _("%(name)s may no longer make pictures in that team.") % {"name": job.owner})
            else:
                started += 1
        if started:
            messages.success(
                request, ngettext("%(n)d job waits again.", "%(n)d jobs wait again.", started) % {"n": started}
            )

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def status(self, obj: Job) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("prompt"), ordering="generation__prompt")
    def prompt(self, obj: Job) -> str:
        words = obj.generation.prompt
        return words if len(words) <= 60 else words[:59] + "…"

    @display(description=_("pictures"))
    def pictures(self, obj: Job) -> str:
        return _tiles(obj) if obj.results else "–"

    @display(description=_("pictures"))
    def all_pictures(self, obj: Job) -> str:
        return _tiles(obj, "tiles tiles-large") if obj.results else "–"

    @display(description=_("model"), ordering="generation__checkpoint__name")
    def drawn_with(self, obj: Job) -> str:
        return obj.generation.checkpoint.name

    @display(description=_("waited"))
    def waited(self, obj: Job) -> str:
        return _seconds(obj.started - obj.created if obj.started else None)

    @display(description=_("took"))
    def took(self, obj: Job) -> str:
        return _seconds(obj.finished - obj.started if obj.started and obj.finished else None)

    @display(description=_("phases"))
    def phases(self, obj: Job) -> str:
        now = timezone.now()
        rows = [(p.step.label, f"{p.seconds(now):.2f} s", p.worker, p.reason) for p in timeline(obj)]
        cells = "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>"
        return format_html('<div class="board"><table>{}</table></div>', format_html_join("", cells, rows))

    @display(description=_("last lines of its worker"))
    def last_lines(self, obj: Job) -> str:
        return format_html('<pre class="trace">{}</pre>', obj.log) if obj.log else "–"

    @display(description=_("traceback"))
    def traceback(self, obj: Job) -> str:
        return format_html('<pre class="trace">{}</pre>', obj.trace) if obj.trace else "–"
