"""API keys: whose, how much they may, when they were last used; revoked here when their person cannot."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import services
from accounts.admin.pages import ReadOnly
from accounts.models import ApiKey


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, ModelAdmin):
    """Made on people's own pages only, because a key is shown to nobody else."""

    list_display = ["name", "user", "scope", "state", "last_used", "created", "expires"]
    list_filter = ["scope", "created", "last_used", "revoked"]
    list_select_related = ["user"]
    search_fields = ["name", "hint", "user__email", "user__name"]
    fields = ["name", "user", "hint", "scope", ("created", "expires"), ("last_used", "revoked")]
    actions = ["revoke"]

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """At once; it cannot be taken back."""
        keys = list(queryset.filter(revoked=None))
        for key in keys:
            services.revoke_api_key(user=request.user, key=key)
        messages.success(request, ngettext("%(n)d key revoked.", "%(n)d keys revoked.", len(keys)) % {"n": len(keys)})

    @display(description=_("state"), label={"valid": "success", "revoked": "danger", "expired": "warning"})
    def state(self, obj: ApiKey) -> tuple[str, str]:
        """Where it stands."""
        if obj.revoked:
            return "revoked", _("Revoked")
        if obj.expires and obj.expires <= timezone.now():
            return "expired", _("Expired")
        return "valid", _("Valid")
