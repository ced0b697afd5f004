"""What can draw, and how it may look: models with their licences, style presets."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from generator.admin.assets import ACCESS, FILES, LICENCE, AssetAdmin
from generator.models import Checkpoint, StylePreset


@admin.register(Checkpoint)
class CheckpointAdmin(AssetAdmin):
    """Models, and what their licences allow."""

    list_display = [
        "name", "family", "native_size", "licence_name", "commerce", "access", "on_disk", "short_hash", "used",
        "last_used", "is_enabled", "is_default",
    ]  # fmt: skip
    list_filter = ["is_enabled", "commercial_use", "family"]
    search_fields = ["name", "slug", "source", "licence_name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = [*AssetAdmin.readonly_fields, "is_default"]
    actions = ["make_default", *AssetAdmin.actions]
    fieldsets = [
        (None, {"fields": [("name", "slug"), ("family", "native_size"), "triggers", ("is_enabled", "is_default")]}),
        LICENCE,
        ACCESS,
        (
            _("At first"),
            {"fields": [("default_steps", "default_guidance", "default_scheduler"), "suggestions"]},
        ),
        (_("Memory"), {"fields": ["memory", "memory_plan"]}),
        FILES,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        counted = super().get_queryset(request).annotate(generation_count=Count("generations", distinct=True))
        return counted.prefetch_related("teams")

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

    @display(description=_("jobs"), ordering="generation_count")
    def used(self, obj: Checkpoint) -> int:
        return obj.generation_count


@admin.register(StylePreset)
class StylePresetAdmin(ModelAdmin):
    """Looks. The order is that of the menu."""

    list_display = ["name", "look", "template", "suits", "order", "is_enabled"]
    list_editable = ["order", "is_enabled"]
    list_filter = ["is_enabled", "team"]
    search_fields = ["name", "template"]
    prepopulated_fields = {"slug": ["name"]}

    @display(description=_("sample"))
    def look(self, obj: StylePreset) -> str:
        if not obj.sample:
            return "–"
        return format_html('<span class="tiles"><img src="{}" alt="" loading="lazy"></span>', static(obj.sample))

    @display(description=_("model families"))
    def suits(self, obj: StylePreset) -> str:
        return ", ".join(obj.families) or "–"
