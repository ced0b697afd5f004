"""The pictures of a batch as a data set."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from generator import services
from generator.batch_forms import DataSetForm
from generator.models import Batch
from generator.services import datasets


@login_required
@require_POST
def export(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts it in line, and leads to where it can be watched; back to the batch where it is refused."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user).select_related("team"), pk=pk)
    form = DataSetForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(text for texts in form.errors.values() for text in texts))
        return redirect("generator:batch", pk)
    try:
        datasets.export_data_set(user=request.user, batch=batch, bound=form.cleaned_data["bound"] or datasets.USUAL)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("generator:batch", pk)
    return redirect("gallery:exports")
