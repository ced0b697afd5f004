"""Channels, exports, uploads and fonts in the admin."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from gallery.models import BrandFont, Channel, Export, Upload


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    """Where pictures go. Without a team: offered to everybody."""

    list_display = ["name", "slug", "team", "width", "height", "format", "quality", "max_kb", "order", "is_active"]
    list_filter = [("team", AutocompleteSelectFilter), "format", "is_active"]
    list_select_related = ["team"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["team"]


@admin.register(Export)
class ExportAdmin(ReadOnly, ModelAdmin):
    """Exports that are being prepared, or can still be fetched by whoever asked for them."""

    list_display = ["name", "owner", "team", "state", "done", "total", "bytes", "created", "expires"]
    list_filter = ["state", ("team", AutocompleteSelectFilter), ("created", RangeDateTimeFilter)]
    list_select_related = ["owner", "team"]
    search_fields = ["name", "owner__email"]
    fields = ["name", "owner", "team", "state", "reason", "done", "total", "bytes", "created", "expires", "notes"]


@admin.register(Upload)
class UploadAdmin(ReadOnly, ModelAdmin):
    """What people brought, and whose they said it was."""

    list_display = ["__str__", "owner", "team", "whose", "rights_note", "how_many", "created", "undone"]
    list_filter = ["whose", ("team", AutocompleteSelectFilter), ("created", RangeDateTimeFilter)]
    list_select_related = ["owner", "team"]
    search_fields = ["owner__email", "rights_note", "files__name"]
    fields = ["owner", "team", "whose", "rights_note", "metadata", "visibility", "created", "undone"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).annotate(held=Count("files"))

    @display(description=_("files"), ordering="held")
    def how_many(self, upload: Upload) -> int:
        return upload.held


@admin.register(BrandFont)
class BrandFontAdmin(ReadOnly, ModelAdmin):
    """Typefaces that teams brought, with the licences that they named."""

    list_display = ["name", "team", "licence", "added"]
    list_filter = [("team", AutocompleteSelectFilter)]
    list_select_related = ["team"]
    search_fields = ["name", "licence"]
    fields = ["name", "team", "licence", "added"]
