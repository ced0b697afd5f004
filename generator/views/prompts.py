"""The history of prompts: one's own, the saved ones, and what the team shares."""

from django.contrib.auth.decorators import login_required
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from generator import prompt_help, services
from generator.forms import MAX_LETTERS
from generator.models import Prompt

SHOWN = 60


class Shelf(models.TextChoices):
    """Which prompts."""

    RECENT = "recent", gettext_lazy("Recent")
    SAVED = "saved", gettext_lazy("Saved")
    TEAM = "team", gettext_lazy("Team")
    TEMPLATES = "templates", gettext_lazy("Templates")


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The history as a page of its own, or for the composer's popover as a fragment."""
    shelf = request.GET.get("shelf", Shelf.RECENT)
    if shelf not in Shelf.values:
        return HttpResponseBadRequest(_("There is no such list of prompts."))
    words = request.GET.get("q", "").strip()
    context = {
        **({"templates": prompt_help.templates(request.team, words)} if shelf == Shelf.TEMPLATES else {}),
        "prompts": [] if shelf == Shelf.TEMPLATES else _found(shelf, words, request),
        "shelf": shelf,
        "shelves": Shelf.choices,
        "q": words,
    }
    return render(request, "generator/_prompts.html" if request.htmx else "generator/prompts.html", context)


@login_required
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """Prompts that go on as the one being typed: a listbox for the composer. By POST: no log keeps the words."""
    words = request.POST.get("prompt", "").strip()[:MAX_LETTERS]
    found = prompt_help.suggestions(user=request.user, team=request.team, words=words)
    return render(request, "generator/_suggestions.html", {"suggestions": found})


def _found(shelf: str, words: str, request: HttpRequest) -> QuerySet[Prompt]:
    prompts = _on(shelf, request)
    if words:
        prompts = prompts.filter(text__icontains=words)
    return prompts.select_related("user")[:SHOWN]


def _on(shelf: str, request: HttpRequest) -> QuerySet[Prompt]:
    visible = Prompt.objects.visible_to(request.user)
    if shelf == Shelf.SAVED:
        return visible.filter(user=request.user, is_saved=True)
    if shelf == Shelf.TEAM:
        return visible.filter(team=request.team, is_shared=True)
    return visible.filter(user=request.user).order_by("-last_used")


@login_required
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps a prompt (on=1) or lets it go again (on=0)."""
    prompt = _visible(request, pk)
    services.save_prompt(user=request.user, prompt=prompt, saved=request.POST.get("on") == "1")
    return _row(request, prompt)


@login_required
@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a prompt to the team (on=1) or takes it back (on=0)."""
    prompt = _visible(request, pk)
    services.share_prompt(user=request.user, prompt=prompt, shared=request.POST.get("on") == "1")
    return _row(request, prompt)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets a prompt."""
    services.delete_prompt(user=request.user, prompt=_visible(request, pk))
    return HttpResponse() if request.htmx else redirect("generator:prompts")


def _visible(request: HttpRequest, pk: int) -> Prompt:
    return get_object_or_404(Prompt.objects.visible_to(request.user), pk=pk)


def _row(request: HttpRequest, prompt: Prompt) -> HttpResponse:
    if not request.htmx:
        return redirect("generator:prompts")
    prompt.refresh_from_db()
    return render(request, "generator/_prompt.html", {"prompt": prompt})
