"""What admin pages of all apps share."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


class ReadOnly:
    """For rows that only their own services may write: the admin shows them, and acts through services."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def show_once(
    request: HttpRequest, *, title: str, note: str, secrets: list[tuple[object, str]], back: str
) -> TemplateResponse:
    """Shows `secrets`, pairs of whose and what, in the answer itself: so they rest in no message and no session."""
    facts = {**admin.site.each_context(request), "title": title, "note": note, "secrets": secrets, "back": back}
    return TemplateResponse(request, "admin/show_once.html", facts)
