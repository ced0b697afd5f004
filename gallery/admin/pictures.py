"""Pictures in the admin: found, looked at, put into the trash and taken out of it."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.admin.pages import ReadOnly
from gallery import services
from gallery.links import ORIGINAL, media_url
from gallery.models import Media, Rendition


class TileList(ChangeList):
    """A list whose rows know the address of their tile, which is signed for the person who looks."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for media in self.result_list:
            media.tile_url = media_url(media, Rendition.Kind.TILE, request.user)


class TrashFilter(admin.SimpleListFilter):
    """Kept ones, unless the trash is asked for."""

    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("only", _("In the trash")), ("all", _("Both"))]

    def choices(self, changelist: ChangeList):
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Kept")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Media]) -> QuerySet[Media]:
        if self.value() == "all":
            return queryset
        return queryset.trashed() if self.value() == "only" else queryset.kept()


@admin.register(Media)
class MediaAdmin(ReadOnly, ModelAdmin):
    """Every picture of every team, private ones included: administrators answer for what lies on the disk."""

    list_display = ["tile", "what", "owner", "team", "checkpoint", "shared_with", "size", "created"]
    list_display_links = ["tile", "what"]
    list_filter = [
        TrashFilter,
        "visibility",
        "checkpoint",
        ("created", RangeDateTimeFilter),
        ("team", AutocompleteSelectFilter),
        ("owner", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["owner", "team"]
    search_fields = ["prompt", "title", "owner__email", "owner__name", "team__name", "seed"]
    show_full_result_count = False
    view_on_site = False  # its page is for the team's members
    actions = ["trash", "restore"]
    fields = [
        "picture",
        ("owner", "team"),
        ("visibility", "created", "deleted"),
        ("width", "height", "bytes"),
        "settings_used",
        "sha256",
    ]
    readonly_fields = ["picture", "settings_used", "sha256"]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return TileList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Media | None:
        media = super().get_object(request, object_id, from_field)
        if media:
            media.original_url = media_url(media, ORIGINAL, request.user)
        return media

    @admin.action(description=_("Put into the trash"))
    def trash(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        for media in queryset:
            services.trash_media(user=request.user, media=media)
        self._say_done(request, len(queryset))

    @admin.action(description=_("Take out of the trash"))
    def restore(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        for media in queryset:
            services.restore_media(user=request.user, media=media)
        self._say_done(request, len(queryset))

    def _say_done(self, request: HttpRequest, count: int) -> None:
        messages.success(request, ngettext("%(n)d picture changed.", "%(n)d pictures changed.", count) % {"n": count})

    @display(description=_("picture"))
    def tile(self, obj: Media) -> str:
        return format_html('<span class="tiles"><img src="{}" alt="" loading="lazy"></span>', obj.tile_url)

    @display(description=_("picture"))
    def picture(self, obj: Media) -> str:
        return format_html(
            '<a class="tiles tiles-large" href="{0}"><img src="{0}" alt="{1}"></a>', obj.original_url, str(obj)
        )

    @display(description=_("prompt"), ordering="prompt")
    def what(self, obj: Media) -> str:
        words = str(obj)
        return words if len(words) <= 70 else words[:69] + "…"

    @display(
        description=_("visibility"),
        ordering="visibility",
        label={Media.Visibility.PRIVATE: "warning", Media.Visibility.PUBLISHED: "success"},
    )
    def shared_with(self, obj: Media) -> tuple[str, str]:
        return obj.visibility, obj.get_visibility_display()

    @display(description=_("size"))
    def size(self, obj: Media) -> str:
        return f"{obj.width} × {obj.height}"

    @display(description=_("recipe"))
    def settings_used(self, obj: Media) -> str:
        return format_html('<pre class="trace">{}</pre>', json.dumps(obj.recipe, indent=2, ensure_ascii=False))
