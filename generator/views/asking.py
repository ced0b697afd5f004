"""Asking for a batch: a table of prompts, and the step between a wish and its start that says what it will cost."""

import csv
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from accounts.permissions import can
from accounts.roles import Action
from generator import services
from generator.batch_forms import SHOWN_PROBLEMS, MatrixForm, TableForm
from generator.batches.matrix import MOST
from generator.batches.table import COLUMNS
from generator.formats import FORMATS
from generator.forms import MAX_PICTURES
from generator.models import Batch, Checkpoint, Generation, StylePreset

SAMPLES = 6  # prompts that the confirming step shows at once
FORMS = {str(Batch.Origin.MATRIX): MatrixForm, str(Batch.Origin.TABLE): TableForm}
EXAMPLE = (
    ("prompt", "title", "style", "format", "count", "seed"),
    ("a red running shoe", "Shoe, red", "", "square", "2", "7"),
    ("a blue running shoe", "Shoe, blue", "", "story", "2", "7"),
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form for a table; sent, it answers with what the batch would cost, or with every row that is wrong."""
    if request.method != "POST":
        return render(
            request,
            "generator/batch_new.html",
            _table_page(request, TableForm(initial=_usual(request), team=request.team)),
        )
    form = TableForm(request.POST, request.FILES, team=request.team)
    if form.is_valid():
        return confirm(request, form, form.generations())
    return render(request, "generator/batch_new.html", _table_page(request, form), status=422)


@login_required
@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """A small table that works, to start from."""
    response = HttpResponse(
        "\ufeff", content_type="text/csv; charset=utf-8"
    )  # the mark lets Excel see that it is UTF-8
    response["Content-Disposition"] = 'attachment; filename="prompts.csv"'
    csv.writer(response).writerows(EXAMPLE)
    return response


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """What was confirmed: puts all of it in line, or says again why not."""
    kind = FORMS.get(request.POST.get("origin", ""))
    number = _number(request.POST.get("batch", ""))
    if kind is None or number is None:
        return HttpResponseBadRequest(_("This form is of an older page. Reload it and try again."))
    form = kind(request.POST, team=request.team, user=request.user)
    try:
        if not form.is_valid():
            texts = [text for texts in form.errors.values() for text in texts]
            raise services.Refused(" ".join(texts))
        generations = form.generations()
    except services.Refused as refusal:
        return _unfit(request, form, str(refusal))
    try:
        batch = services.create_batch(
            user=request.user,
            team=request.team,
            name=form.called,
            origin=form.origin,
            template=form.template,
            generations=generations,
            visibility=form.cleaned_data["visibility"] or "team",
            pk=number,
        )
    except IntegrityError:  # the button was pressed twice
        return redirect("generator:batch", number)
    except services.Refused as refusal:
        return confirm(request, form, generations, error=str(refusal), status=422)
    return redirect("generator:batch", batch.pk)


def _number(text: str) -> UUID | None:
    """None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _unfit(request: HttpRequest, form: MatrixForm | TableForm, reason: str) -> HttpResponse:
    """What was possible a moment ago is not any more: a model was switched off, say."""
    if isinstance(form, TableForm):
        return render(request, "generator/batch_new.html", _table_page(request, form), status=422)
    return render(request, "generator/batch_confirm.html", {"error": reason, "form": form}, status=422)


def confirm(
    request: HttpRequest,
    form: MatrixForm | TableForm,
    generations: list[Generation],
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """Count and estimate of a batch that nobody has started yet, under the composer or as a page."""
    estimate = services.estimate_batch(user=request.user, generations=generations)
    context = {
        "form": form,
        "origin": form.origin,
        "number": uuid4(),
        "sent": _sent(form),
        "estimate": estimate,
        "samples": generations[:SAMPLES],
        "others": generations[SAMPLES:],
        "error": error,
    }
    if request.htmx:
        response = render(request, "generator/_batch_confirm.html", context, status=status)
        return reswap(retarget(response, "#confirm"), "innerHTML")
    return render(request, "generator/batch_confirm.html", context, status=status)


def _sent(form: MatrixForm | TableForm) -> list[tuple[str, Any]]:
    """What the next step needs to be told again: a file as the text that was in it."""
    told = {name: form.data.get(name, "") for name in form.fields if name != "file"}
    if isinstance(form, TableForm):
        told |= {"table": form.cleaned_data["table"], "name": form.called}
    else:
        told["draw"] = form.draw_from
    return [(name, value) for name, value in told.items() if value != ""]


def _usual(request: HttpRequest) -> dict[str, Any]:
    checkpoint = Checkpoint.objects.enabled().first()
    return {"checkpoint": checkpoint.slug if checkpoint else "", "format": "square", "count": 1, "visibility": "team"}


def _table_page(request: HttpRequest, form: TableForm) -> dict[str, Any]:
    text = form.cleaned_data.get("table", "") if form.is_bound and hasattr(form, "cleaned_data") else ""
    return {
        "form": form,
        "text": text or form["table"].value() or "",
        "problems": form.problems[:SHOWN_PROBLEMS],
        "more_problems": max(0, len(form.problems) - SHOWN_PROBLEMS),
        "checkpoints": Checkpoint.objects.enabled(),
        "styles": StylePreset.objects.offered_to(request.team),
        "formats": FORMATS.values(),
        "counts": range(1, MAX_PICTURES + 1),
        "columns": COLUMNS,
        "most": MOST,
        "may_create": can(request.user, Action.CREATE, request.team),
    }
