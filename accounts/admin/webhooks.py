"""Webhooks and their deliveries: to look at. Teams set them up on their own pages."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from accounts.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, ModelAdmin):
    """Whose, where to, and whether it is on. The secret is shown to nobody."""

    list_display = ["url", "team", "is_enabled", "created_by", "created", "note"]
    list_filter = ["is_enabled", "created"]
    list_select_related = ["team", "created_by"]
    search_fields = ["url", "team__name"]
    fields = ["url", "team", "events", "is_enabled", "note", ("created_by", "created")]
    actions = ["switch_off"]

    @admin.action(description=_("Switch off"))
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Until the team switches it on again."""
        count = queryset.filter(is_enabled=True).update(is_enabled=False, note=_("Switched off by an administrator."))
        messages.success(request, ngettext("%(n)d webhook is off.", "%(n)d webhooks are off.", count) % {"n": count})


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):
    """What was told, and what came back."""

    list_display = ["created", "webhook", "type", "outcome", "status", "attempts", "next_try"]
    list_filter = ["state", "type", "created"]
    list_select_related = ["webhook"]
    search_fields = ["webhook__url", "event"]
    fields = ["webhook", "type", "event", "state", ("attempts", "next_try", "delivered"), ("status", "answer")]

    @display(description=_("state"), label={"waiting": "info", "delivered": "success", "failed": "danger"})
    def outcome(self, obj: Delivery) -> tuple[str, str]:
        """What became of it."""
        return obj.state, obj.get_state_display()
