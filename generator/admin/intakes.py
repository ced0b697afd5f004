"""Models on their way in: asked for here, with progress, cancel and retry."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from generator import services
from generator.models import Intake, State

FIELDS = [
    "origin", "place", "revision", "kind", "name", "family", "word", "structure", "licence_name", "licence_url",
    "commercial_use",
]  # fmt: skip
COLOURS = {
    State.QUEUED: "info",
    State.RUNNING: "info",
    State.DONE: "success",
    State.FAILED: "danger",
    State.CANCELLED: "warning",
}


class IntakeForm(forms.ModelForm):
    """A model that is to come in. The bytes of an upload are sent by the page, in pieces, once this is saved."""

    size = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """An upload must say how large it is."""
        cleaned = super().clean() or {}
        if cleaned.get("origin") == Intake.Origin.UPLOAD and not cleaned.get("size"):
            raise forms.ValidationError(_("Choose the file that is to be uploaded."))
        if cleaned.get("kind") == Intake.Kind.CONTROLNET and not cleaned.get("structure"):
            self.add_error("structure", _("Say what of a picture it follows."))
        cleaned["size"] = cleaned.get("size") or 0
        return cleaned


@admin.register(Intake)
class IntakeAdmin(ModelAdmin):
    """Imports, the newest first."""

    form = IntakeForm
    fields = [*FIELDS, "size"]
    add_form_template = "admin/generator/intake/add.html"
    list_display = ["name", "kind", "origin", "place", "state", "progress", "why", "user", "created"]
    list_filter = ["kind", "origin", "created"]
    list_select_related = ["job", "user"]
    search_fields = ["name", "place"]
    actions = ["cancel", "again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Bringing files onto the workers is for superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Intake | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Intake | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        piece = path("<uuid:pk>/piece/", self.admin_site.admin_view(self.piece), name="generator_intake_piece")
        return [piece, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Intake, form: IntakeForm, change: bool) -> None:
        """The service writes the row and asks for the job."""
        made = services.begin_intake(user=request.user, **form.cleaned_data)
        obj.pk, obj.user = made.pk, made.user

    def response_add(self, request: HttpRequest, obj: Intake, post_url_continue: str | None = None) -> HttpResponse:
        """Tells the page of an upload where its pieces go."""
        if request.headers.get("Accept") == "application/json":
            urls = {"piece": reverse("admin:generator_intake_piece", args=[obj.pk])}
            return JsonResponse({**urls, "then": reverse("admin:generator_intake_changelist")})
        return super().response_add(request, obj, post_url_continue)

    def piece(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """GET: how much is there, so that an upload goes on after any interruption. POST: the next bytes."""
        intake = get_object_or_404(Intake, pk=pk, user=request.user)
        if request.method != "POST":
            return JsonResponse({"there": intake.done})
        offset = request.headers.get("Upload-Offset", "")
        if not offset.isdecimal() or int(request.headers.get("Content-Length") or 0) > services.INTAKE_PIECE:
            return JsonResponse({"reason": str(_("This is no piece of an upload."))}, status=400)
        try:
            there = services.add_piece(user=request.user, intake=intake, offset=int(offset), data=request.read())
        except services.Refused as refusal:
            return JsonResponse({"reason": str(refusal)}, status=409)
        return JsonResponse({"there": there})

    @admin.action(description=_("Cancel"), permissions=["add"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Intake]) -> None:
        """What has come of it is removed."""
        for intake in queryset.select_related("job"):
            services.cancel_intake(user=request.user, intake=intake)
        messages.success(request, _("Cancelled, where it had not ended."))

    @admin.action(description=_("Try again"), permissions=["add"])
    def again(self, request: HttpRequest, queryset: QuerySet[Intake]) -> None:
        """Another job for what failed or was cancelled."""
        for intake in queryset.select_related("job", "user"):
            try:
                services.retry_intake(user=request.user, intake=intake)
            except services.Refused as refusal:
                messages.error(request, f"{intake.name}: {refusal}")

    @display(description=_("state"), label=COLOURS)
    def state(self, obj: Intake) -> tuple[str, Any]:
        return (obj.job.state, obj.job.get_state_display()) if obj.job else (State.QUEUED, _("Uploading"))

    @display(description=_("progress"))
    def progress(self, obj: Intake) -> str:
        return format_html('<progress max="100" value="{}"></progress> {} % {}', obj.percent, obj.percent, obj.stage)

    @display(description=_("reason"))
    def why(self, obj: Intake) -> str:
        return obj.job.reason if obj.job and obj.job.reason else "–"
