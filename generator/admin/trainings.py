"""What people teach: how far it is, and from which pictures, with whose word for their rights. Nobody edits here."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generator.admin.intakes import COLOURS
from generator.models import Training, TrainingPicture


class PictureInline(ReadOnly, TabularInline):
    """The pictures, those that were removed among them."""

    model = TrainingPicture
    fields = ["name", "size", "rights", "rights_note", "people", "stated_by", "stated", "learned", "removed"]
    readonly_fields = fields
    extra = 0

    @display(description=_("pixels"))
    def size(self, obj: TrainingPicture) -> str:
        return f"{obj.width} × {obj.height}"


@admin.register(Training)
class TrainingAdmin(ReadOnly, ModelAdmin):
    """Trainings, the newest first."""

    list_display = [
        "name", "version", "kind", "method", "checkpoint", "team", "owner", "status", "progress", "count", "created",
    ]  # fmt: skip
    list_filter = ["kind", "method", "checkpoint", "created"]
    list_select_related = ["job", "team", "owner", "checkpoint"]
    search_fields = ["name", "word", "owner__email", "team__name"]
    inlines = [PictureInline]
    fields = [
        ("name", "version"), ("kind", "method"), ("noun", "word"), ("checkpoint", "base_hash"), ("team", "owner"),
        ("status", "progress", "loss"), ("spent", "step_seconds"), "reason", "proposed", "taken", "created",
    ]  # fmt: skip
    readonly_fields = [
        "base_hash", "status", "progress", "loss", "spent", "step_seconds", "reason", "proposed", "taken", "created",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Training]:
        there = Count("pictures", filter=Q(pictures__removed=None))
        return super().get_queryset(request).annotate(there=there)

    @display(description=_("state"), label=COLOURS)
    def status(self, obj: Training) -> tuple[str, str]:
        return (obj.job.state, obj.job.get_state_display()) if obj.job else ("", str(_("Not started")))

    @display(description=_("progress"))
    def progress(self, obj: Training) -> str:
        if not obj.steps:
            return "–"
        return format_html(
            '<progress max="{}" value="{}"></progress> {} / {}', obj.steps, obj.step, obj.step, obj.steps
        )

    @display(description=_("pictures"), ordering="there")
    def count(self, obj: Training) -> int:
        return obj.there  # type: ignore[attr-defined]

    @display(description=_("reason"))
    def reason(self, obj: Training) -> str:
        return obj.job.reason if obj.job and obj.job.reason else "–"

    @display(description=_("taken"))
    def taken(self, obj: Training) -> str:
        return ", ".join(f"{one.name} ({one.version})" for one in obj.taken.all()) or "–"
