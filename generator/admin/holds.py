"""What stands still, in the admin: everything can be stopped here, and every hold released."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generator import services
from generator.models import Hold


@admin.register(Hold)
class HoldAdmin(ReadOnly, ModelAdmin):
    """Holds. They are set on the queue page, and all of them at once on the dashboard."""

    list_display = ["what", "reason", "by", "created"]
    list_filter = ["scope"]
    list_select_related = ["team", "user", "worker", "by"]
    search_fields = ["team__name", "user__name", "user__email", "worker__name", "reason"]
    actions = ["release"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("everything/", view(require_POST(self.hold_everything)), name="generator_hold_everything"),
            path("<int:pk>/release/", view(require_POST(self.release_one)), name="generator_hold_release"),
            *super().get_urls(),
        ]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may release; nobody edits."""
        return services.may_run_queue(request.user)

    def hold_everything(self, request: HttpRequest) -> HttpResponse:
        """No job starts any more, until somebody releases it. Which of the two buttons says what for."""
        services.hold_everything(
            user=request.user, reason=request.POST.get("reason", "")[:200], drain=request.POST.get("why") == "drain"
        )
        messages.success(request, _("No job starts any more. What runs already finishes."))
        return redirect("admin:index")

    def release_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ends one hold."""
        services.release(user=request.user, hold=get_object_or_404(Hold, pk=pk))
        messages.success(request, _("Released: waiting jobs start again."))
        return redirect("admin:index")

    @admin.action(description=_("Release"), permissions=["run"])
    def release(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        for hold in queryset:
            services.release(user=request.user, hold=hold)
        messages.success(request, _("Released: waiting jobs start again."))

    @display(description=_("held"), ordering="scope")
    def what(self, obj: Hold) -> str:
        return obj.explain()
