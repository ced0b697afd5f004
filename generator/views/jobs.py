"""One job: its card, its previews, and what can be done with it."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap

from generator import previews, services
from generator.models import Job
from generator.views.cards import RELATED, Card, cards
from generator.views.chart import chart, settings_in_words


@login_required
@require_safe
def card(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The card as it is now."""
    return render(request, "generator/_job.html", {"card": _card(request, pk)})


@login_required
@require_safe
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was asked for and what became of it, phase by phase; for scripts only the part that changes."""
    card = _card(request, pk)
    context = {"card": card, "chart": chart(card.job), "outlook": card.now, "said": settings_in_words(card.generation)}
    return render(request, "generator/_job_page.html" if request.htmx else "generator/job.html", context)


@login_required
@require_safe
def preview(request: HttpRequest, pk: UUID, index: int, step: int) -> HttpResponse:
    """A picture after one step, while it is in the cache. Asked for many times a second: one query, no template."""
    if not Job.objects.visible_to(request.user).filter(pk=pk).exists():
        raise Http404
    data = previews.read_preview(pk, index, step)
    if data is None:
        raise Http404
    return HttpResponse(
        data,
        content_type="image/webp",
        # What a step looked like never changes.
        headers={"Cache-Control": "private, max-age=3600, immutable", "X-Content-Type-Options": "nosniff"},
    )


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stops a job; one that runs takes one more step to notice."""
    job = _visible(request, pk)
    services.cancel_job(user=request.user, job=job)
    if request.htmx:
        return render(request, "generator/_job.html", {"card": _card(request, pk)})
    return redirect("generator:create")


@login_required
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lets a job rest; one that runs takes one more step to notice."""
    return _changed(request, pk, services.pause_job)


@login_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts a paused job back in line."""
    return _changed(request, pk, services.resume_job)


@login_required
@require_POST
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Moves a waiting job among those of its person: to the front, one up, one down."""

    def moved(*, user, job: Job) -> None:
        services.shift_job(user=user, job=job, to=request.POST.get("to", ""))

    return _changed(request, pk, moved)


def _changed(request: HttpRequest, pk: UUID, act: Callable[..., object]) -> HttpResponse:
    """The card after `act`."""
    job = _visible(request, pk)

    def answer() -> HttpResponse:
        act(user=request.user, job=job)
        return render(request, "generator/_job.html", {"card": _card(request, pk)})

    return _or_refusal(request, answer)


@login_required
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The same again as a new job, in the place of the card of one's own that led to it."""
    job = _visible(request, pk)

    def again() -> HttpResponse:
        new = services.retry_job(user=request.user, job=job)
        if job.owner_id == request.user.pk and job.is_finished:
            services.hide_job(user=request.user, job=job)
        return render(request, "generator/_submitted.html", {"card": _card(request, new.pk), "replaced": job})

    return _or_refusal(request, again)


@login_required
@require_POST
def hide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes an ended job off the Create page."""
    job = _visible(request, pk)

    def hidden() -> HttpResponse:
        services.hide_job(user=request.user, job=job)
        return HttpResponse()

    return _or_refusal(request, hidden)


def _or_refusal(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """What `act` answers, or the reason why not as a toast; without scripts the Create page, either way."""
    try:
        answer = act()
    except services.Refused as refusal:
        if request.htmx:
            return reswap(render(request, "partials/_toast_oob.html", {"text": str(refusal)}, status=422), "none")
        messages.error(request, str(refusal))
    else:
        if request.htmx:
            return answer
    return redirect("generator:create")


def _visible(request: HttpRequest, pk: UUID) -> Job:
    """404 for what the person cannot see; whether they may change it is for the service to say."""
    return get_object_or_404(Job.objects.visible_to(request.user), pk=pk)


def _card(request: HttpRequest, pk: UUID) -> Card:
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related(*RELATED), pk=pk)
    return cards([job], request.user)[0]
