"""The words of a team: lists to draw from, and prompts with gaps."""

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from generator import services
from generator.models import PromptTemplate, WordList
from generator.team_forms import TemplateForm, WordsForm


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All lists and templates of the team, each a form of its own for those who make pictures."""
    return _page(request)


@login_required
@require_POST
def save_list(request: HttpRequest) -> HttpResponse:
    """A new list, or the one whose number came with the form."""
    known = _known(WordList, request)
    form = WordsForm(request.POST, auto_id=f"{_key(known)}-list-%s")
    if form.is_valid():
        try:
            services.save_words(user=request.user, team=request.team, known=known, **form.cleaned_data)
        except services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("generator:words")
    return _page(request, 422, wrong_list=form, wrong=known.pk if known else "new")


@login_required
@require_POST
def save_template(request: HttpRequest) -> HttpResponse:
    """A new template, or the one whose number came with the form."""
    known = _known(PromptTemplate, request)
    form = TemplateForm(request.POST, auto_id=f"{_key(known)}-template-%s")
    if form.is_valid():
        try:
            services.save_template(user=request.user, team=request.team, known=known, **form.cleaned_data)
        except services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("generator:words")
    return _page(request, 422, wrong_template=form, wrong=known.pk if known else "new")


@login_required
@require_POST
def delete_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a word list away."""
    services.delete_words(user=request.user, row=get_object_or_404(WordList, pk=pk, team=request.team))
    return redirect("generator:words")


@login_required
@require_POST
def delete_template(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a template away."""
    services.delete_words(user=request.user, row=get_object_or_404(PromptTemplate, pk=pk, team=request.team))
    return redirect("generator:words")


def _known(model: type, request: HttpRequest):
    """The team's row that the form is about; None for a new one."""
    pk = request.POST.get("pk", "")
    return get_object_or_404(model, pk=pk, team=request.team) if pk.isdecimal() else None


def _key(row: WordList | PromptTemplate | None) -> str:
    return str(row.pk) if row else "new"


def _page(
    request: HttpRequest,
    status: int = 200,
    *,
    wrong_list: Form | None = None,
    wrong_template: Form | None = None,
    wrong: int | str = "",
) -> HttpResponse:
    lists = [
        (row, WordsForm(initial={"name": row.name, "words": "\n".join(row.words)}, auto_id=f"{row.pk}-list-%s"))
        for row in WordList.objects.filter(team=request.team)
    ]
    templates = [
        (row, TemplateForm(initial={"name": row.name, "text": row.text}, auto_id=f"{row.pk}-template-%s"))
        for row in PromptTemplate.objects.filter(team=request.team)
    ]
    context = {
        "lists": [(row, wrong_list if wrong_list and row.pk == wrong else form) for row, form in lists],
        "templates": [(row, wrong_template if wrong_template and row.pk == wrong else form) for row, form in templates],
        "new_list": wrong_list if wrong == "new" and wrong_list else WordsForm(auto_id="new-list-%s"),
        "new_template": wrong_template
        if wrong == "new" and wrong_template
        else TemplateForm(auto_id="new-template-%s"),
        "wrong": wrong,
        "may_change": can(request.user, Action.CREATE, request.team),
    }
    return render(request, "generator/words.html", context, status=status)
