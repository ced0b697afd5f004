"""Making, in the admin: what runs and ran, what can draw, and who draws."""

from collections import defaultdict
from datetime import timedelta

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
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
from generator.models import Checkpoint, Generation, Job, State, StylePreset, Worker

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
                    ("worker", "attempts", "cost"),
                    "traceback",
                ]
            },
        ),
    ]
    readonly_fields = ["all_pictures", "waited", "took", "created", "traceback"]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return JobList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        job = super().get_object(request, object_id, from_field)
        if job:
            _attach_results([job], request.user)
        return job

    @admin.action(description=_("Cancel"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Those that have ended stay as they are."""
        jobs = list(queryset.unfinished())
        for job in jobs:
            services.cancel_job(user=request.user, job=job)
        messages.success(
            request, ngettext("%(n)d job cancelled.", "%(n)d jobs cancelled.", len(jobs)) % {"n": len(jobs)}
        )

    @admin.action(description=_("Run again, for whoever asked"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """In the name of the owner, since the new pictures are theirs, and so is the quota."""
        started = 0
        for job in queryset.select_related("owner", "team"):
            try:
                services.retry_job(user=job.owner, job=job)
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

    @display(description=_("traceback"))
    def traceback(self, obj: Job) -> str:
        return format_html('<pre class="trace">{}</pre>', obj.trace) if obj.trace else "–"


@admin.register(Checkpoint)
class CheckpointAdmin(ModelAdmin):
    """Models, and what their licences allow."""

    list_display = ["name", "family", "native_size", "licence_name", "commerce", "used", "is_enabled", "is_default"]
    list_filter = ["is_enabled", "commercial_use", "family"]
    search_fields = ["name", "slug", "source", "licence_name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["weights_hash", "is_default"]
    actions = ["make_default"]
    fieldsets = [
        (None, {"fields": [("name", "slug"), "source", ("family", "native_size"), ("is_enabled", "is_default")]}),
        (
            _("Licence"),
            {"fields": [("licence_name", "commercial_use"), "licence_url", "attribution"]},
        ),
        (
            _("At first"),
            {"fields": [("default_steps", "default_guidance", "default_scheduler"), "suggestions", "weights_hash"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        return super().get_queryset(request).annotate(generation_count=Count("generations"))

    @admin.action(description=_("Choose it at first"))
    def make_default(self, request: HttpRequest, queryset: QuerySet[Checkpoint]) -> None:
        """One of them, which can be chosen at all."""
        chosen = queryset.first()
        if len(queryset) != 1 or not chosen.is_enabled:
            messages.error(request, _("Choose one model, and one that is switched on."))
            return
        with transaction.atomic():
            Checkpoint.objects.exclude(pk=chosen.pk).update(is_default=False)
            Checkpoint.objects.filter(pk=chosen.pk).update(is_default=True)
        messages.success(request, _("%(name)s is what people start with now.") % {"name": chosen})

    @display(
        description=_("commercial use"),
        ordering="commercial_use",
        label={
            Checkpoint.CommercialUse.YES: "success",
            Checkpoint.CommercialUse.CONDITIONAL: "warning",
            Checkpoint.CommercialUse.NO: "danger",
        },
    )
    def commerce(self, obj: Checkpoint) -> tuple[str, str]:
        return obj.commercial_use, obj.get_commercial_use_display()

    @display(description=_("jobs"), ordering="generation_count")
    def used(self, obj: Checkpoint) -> int:
        return obj.generation_count


@admin.register(StylePreset)
class StylePresetAdmin(ModelAdmin):
    """Looks. The order is that of the menu."""

    list_display = ["name", "look", "template", "families", "order", "is_enabled"]
    list_editable = ["order", "is_enabled"]
    list_filter = ["is_enabled"]
    search_fields = ["name", "template"]
    prepopulated_fields = {"slug": ["name"]}

    @display(description=_("sample"))
    def look(self, obj: StylePreset) -> str:
        if not obj.sample:
            return "–"
        return format_html('<span class="tiles"><img src="{}" alt="" loading="lazy"></span>', static(obj.sample))


@admin.register(Worker)
class WorkerAdmin(ReadOnly, ModelAdmin):
    """Who draws, as each announced itself."""

    list_display = ["name", "life", "device", "dtype", "checkpoint", "started", "seen"]
    search_fields = ["name", "device", "checkpoint"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        alive = Worker.objects.alive().filter(pk=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_alive=Exists(alive))

    @display(description=_("state"), label={"alive": "success", "gone": "danger"})
    def life(self, obj: Worker) -> tuple[str, str]:
        return ("alive", _("Alive")) if obj.is_alive else ("gone", _("Not heard of"))
