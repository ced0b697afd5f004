"""Who draws, in the admin."""

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generator import services
from generator.models import Hold, Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnly, ModelAdmin):
    """Who draws, as each announced itself."""

    list_display = ["name", "life", "device", "room", "holds_ready", "jobs_done", "version", "started", "seen"]
    list_filter = ["is_paused"]
    search_fields = ["name", "device"]
    actions = ["hold", "release"]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may stop and release; nobody edits."""
        return services.may_run_queue(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        alive = Worker.objects.alive().filter(pk=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_alive=Exists(alive))

    @admin.action(description=_("Pause: finish the job, take no other"), permissions=["run"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        for worker in queryset:
            services.hold_worker(user=request.user, worker=worker)
        messages.success(request, _("Paused. What they draw already is finished."))

    @admin.action(description=_("Release"), permissions=["run"])
    def release(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        for hold in Hold.objects.filter(worker__in=queryset):
            services.release(user=request.user, hold=hold)
        messages.success(request, _("Released: they take jobs again."))

    @display(description=_("state"), label={"alive": "success", "paused": "warning", "gone": "danger"})
    def life(self, obj: Worker) -> tuple[str, str]:
        if not obj.is_alive:
            return "gone", _("Not heard of")
        return ("paused", _("Paused")) if obj.is_paused else ("alive", _("Alive"))

    @display(description=_("memory free"), ordering="memory_free")
    def room(self, obj: Worker) -> str:
        return f"{obj.memory_free:,} / {obj.memory:,} MiB" if obj.memory else "–"

    @display(description=_("loaded"))
    def holds_ready(self, obj: Worker) -> str:
        return ", ".join(f"{slug} ({obj.plans[slug]})" if slug in obj.plans else slug for slug in obj.loaded) or "–"
