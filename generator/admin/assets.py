"""LoRAs and whatever else goes with a model; licences that were accepted; what teams allow themselves."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generator import services
from generator.models import Adapter, Asset, CommercialUse, LicenceAcceptance, ModelPolicy

LICENCE = (
    _("Licence"),
    {"fields": [("licence_name", "commercial_use"), "licence_url", "attribution", "must_accept"]},
)
ACCESS = (_("Who may use it"), {"fields": ["teams", "for_managers"]})
FILES = (_("Files"), {"fields": ["source", ("revision", "weights_hash"), "contents", "said"]})


class AssetAdmin(ModelAdmin):
    """What the lists of models and adapters share."""

    autocomplete_fields = ["teams"]
    readonly_fields = ["weights_hash", "revision", "contents", "said", "added", "last_used"]
    actions = ["accept"]

    @admin.action(description=_("Accept the licence for everybody"), permissions=["change"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        """Recorded with the name of whoever does it."""
        for asset in queryset:
            services.accept_licence(user=request.user, asset=asset, team=None)
        messages.success(request, _("Accepted. It is recorded who did so, and when."))

    @display(
        description=_("commercial use"),
        ordering="commercial_use",
        label={
            CommercialUse.YES: "success",
            CommercialUse.CONDITIONAL: "warning",
            CommercialUse.NO: "danger",
        },
    )
    def commerce(self, obj: Asset) -> tuple[str, str]:
        return obj.commercial_use, obj.get_commercial_use_display()

    @display(description=_("size"), ordering="size")
    def on_disk(self, obj: Asset) -> str:
        return filesizeformat(obj.size) if obj.size else "–"

    @display(description=_("hash"))
    def short_hash(self, obj: Asset) -> str:
        return format_html('<code title="{}">{}</code>', obj.weights_hash, obj.weights_hash[:10] or "–")

    @display(description=_("access"))
    def access(self, obj: Asset) -> str:
        teams = ", ".join(team.name for team in obj.teams.all()) or _("Every team")
        return f"{teams} · {_('managers')}" if obj.for_managers else str(teams)

    @display(description=_("files of weights"))
    def contents(self, obj: Asset) -> str:
        rows = ((one["name"], filesizeformat(one["size"]), one["sha256"]) for one in obj.files)
        cells = format_html_join("", "<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>", rows)
        return format_html('<div class="board"><table>{}</table></div>', cells) if cells else "–"

    @display(description=_("what its file says"))
    def said(self, obj: Asset) -> str:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", obj.facts.items())
        return format_html('<div class="board"><table>{}</table></div>', rows) if rows else "–"


@admin.register(Adapter)
class AdapterAdmin(AssetAdmin):
    """LoRAs, embeddings, ControlNets, upscalers."""

    list_display = [
        "name", "kind", "family", "licence_name", "commerce", "access", "on_disk", "short_hash", "last_used",
        "is_enabled",
    ]  # fmt: skip
    list_filter = ["kind", "is_enabled", "commercial_use", "family"]
    search_fields = ["name", "slug", "source", "licence_name", "word"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = [*AssetAdmin.readonly_fields, "training", "version", "point"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("name", "slug"),
                    ("kind", "family"),
                    ("training", "version", "point"),
                    ("word", "weight"),
                    "structure",
                    "triggers",
                    "sample",
                    "is_enabled",
                ]
            },
        ),
        LICENCE,
        ACCESS,
        FILES,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Adapter]:
        return super().get_queryset(request).prefetch_related("teams")


@admin.register(LicenceAcceptance)
class LicenceAcceptanceAdmin(ReadOnly, ModelAdmin):
    """Who accepted what, for whom and when. Nobody changes it."""

    list_display = ["asset", "licence", "commercial_use", "whom", "user", "created"]
    list_filter = ["commercial_use", "created"]
    list_select_related = ["team", "user"]
    search_fields = ["asset", "licence", "user__email", "team__name"]

    @display(description=_("for"), ordering="team")
    def whom(self, obj: LicenceAcceptance) -> Any:
        return obj.team or _("Everybody")


@admin.register(ModelPolicy)
class ModelPolicyAdmin(ModelAdmin):
    """What teams allow themselves."""

    list_display = ["team", "commercial_only"]
    list_editable = ["commercial_only"]
    list_select_related = ["team"]
    autocomplete_fields = ["team"]
