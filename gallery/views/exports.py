"""One's exports: how far they are, fetching them, deleting them."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import services
from gallery.export.encode import TYPES
from gallery.models import Export
from gallery.views import files, ranges

SHOWN = 100


@login_required
@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """All that one has asked for and can still fetch, the newest first."""
    found = Export.objects.visible_to(request.user).kept()
    return render(request, "gallery/exports.html", {"exports": found[:SHOWN], "hours": settings.EXPORT_HOURS})


@login_required
@require_safe
def row(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One of them, for the page that watches."""
    return render(request, "gallery/_export.html", {"export": _own(request, pk)})


@login_required
@require_safe
def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Its file, or a part of it."""
    return send(request, _own(request, pk))


def send(request: HttpRequest, export: Export) -> HttpResponseBase:
    """The file of a finished export of one's own, in one go or from where a download broke off."""
    if export.state != Export.State.DONE or not export.file:
        raise Http404
    extension = export.file.name.rsplit(".", 1)[-1]
    name = export.wishes.get("file_name") or f"{slugify(export.name)[:80] or 'export'}.{extension}"
    etag = f'"{export.sha256}"'
    headers = {
        "Content-Type": TYPES.get(extension, "application/zip"),
        "Content-Disposition": content_disposition_header(True, name),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    return files.send(export.file, headers, ranges.asked_for(request, export.bytes, etag))


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Away with it."""
    services.delete_export(user=request.user, export=_own(request, pk))
    if request.htmx:
        return HttpResponse()
    messages.success(request, _("The export was deleted."))
    return redirect("gallery:exports")


def _own(request: HttpRequest, pk: UUID) -> Export:
    """404 for what is another's or run out."""
    return get_object_or_404(Export.objects.visible_to(request.user).kept(), pk=pk)
