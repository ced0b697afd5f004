"""The way to "approved": the queue of a reviewer, and what is asked and decided on a picture's page."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action, Role, roles_for
from gallery import services
from gallery.forms import DecisionForm, ReviewForm, ReviewTab
from gallery.models import Decision, Media, Review
from gallery.views.talk import conversation
from gallery.views.tiles import tiles

SHOWN = 100


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for this person, one large, the others beside it; or what they asked for; or what was decided."""
    tab = request.GET.get("tab", ReviewTab.WAITING)
    if tab not in ReviewTab.values:
        return redirect("gallery:review")
    reviews = ReviewTab(tab).of(request.user, request.team)
    found = list(
        reviews.select_related("media__team", "media__owner", "asked_by").prefetch_related("decisions")[:SHOWN]
    )
    shown = tiles([review.media for review in found], request.user)
    pairs = list(zip(found, shown, strict=True))
    current = next((pair for pair in pairs if str(pair[0].pk) == request.GET.get("at")), pairs[0] if pairs else None)
    context = {
        "tab": tab,
        "tabs": ReviewTab.choices,
        "pairs": pairs,
        "current": current,
        "waiting": Review.objects.waiting_for(request.user).count(),
    }
    if current:
        review, tile = current
        context |= {
            **facts(review.media, request.user),
            **conversation(review.media, request.user),
            "tile": tile,
            "next": _after(pairs, review),
            "previous": _after(pairs[::-1], review),
        }
    return render(request, "gallery/review.html", context)


def _after(pairs, review: Review) -> Review | None:
    reviews = [pair[0] for pair in pairs]
    place = reviews.index(review) + 1
    return reviews[place] if place < len(reviews) else None


def facts(media: Media, viewer) -> dict[str, object]:
    """What the review's fragment needs: how it stands, its history, and what this person may do about it."""
    reviews = list(media.reviews.select_related("asked_by").prefetch_related("decisions", "reviewers"))
    current = next((review for review in reviews if review.closed is None), None)
    may_ask = can(viewer, Action.ORGANISE, media.team_id) and media.visibility != Media.Visibility.PRIVATE
    earlier = Media.objects.none()
    if may_ask and Media.objects.editable_by(viewer).filter(pk=media.pk).exists():
        wanting = [Media.ReviewState.CHANGES, Media.ReviewState.REJECTED]
        earlier = Media.objects.visible_to(viewer).kept().filter(team=media.team_id, review_state__in=wanting)
        earlier = earlier.exclude(pk=media.pk).order_by("-created")[:20]
    return {
        "media": media,
        "reviews": reviews,
        "open_review": current,
        "policy": services.policy_of(media.team),
        "may_decide": bool(current and services.may_decide(viewer, current) and not _has_decided(current, viewer)),
        "may_withdraw": bool(
            current and (current.asked_by_id == viewer.pk or can(viewer, Action.CURATE, media.team_id))
        ),
        "may_ask": may_ask and current is None,
        "askable": [person for person in services.people_to_ask(media.team) if person.pk != viewer.pk]
        if may_ask
        else [],
        "reviewing_roles": [(role, role.label) for role in roles_for(Action.REVIEW)],
        "default_role": Role.REVIEWER,
        "earlier": earlier,
        "verdicts": Decision.Verdict,
    }


def _has_decided(review: Review, viewer) -> bool:
    return any(decision.reviewer_id == viewer.pk for decision in review.decisions.all())


@login_required
@require_POST
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks people, or whoever has a role, to look at a picture."""
    media = get_object_or_404(Media.objects.visible_to(request.user).select_related("team"), pk=pk)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _back(request, media, error=" ".join(form.all_errors()))
    wanted = form.cleaned_data
    people = [person for person in services.people_to_ask(media.team) if person.pk in wanted["reviewers"]]
    earlier = None
    if wanted["version_of"]:
        earlier = get_object_or_404(Media.objects.visible_to(request.user), pk=wanted["version_of"])
    try:
        services.ask_review(
            user=request.user,
            media=media,
            reviewers=people,
            role=wanted["role"],
            note=wanted["note"],
            version_of=earlier,
        )
    except services.Refused as refusal:
        return _back(request, media, error=str(refusal))
    return _back(request, media)


@login_required
@require_POST
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Approves, asks for changes, or rejects; from the queue it goes on to the next one."""
    review = _visible(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _back(request, review.media, error=" ".join(form.all_errors()))
    try:
        services.decide(user=request.user, review=review, **form.cleaned_data)
    except services.Refused as refusal:
        return _back(request, review.media, error=str(refusal))
    messages.success(
        request,
        _("%(verdict)s. It stands in the picture's history.")
        % {"verdict": Decision.Verdict(form.cleaned_data["verdict"]).label},
    )
    return _back(request, review.media)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes a request back."""
    review = _visible(request, pk)
    services.withdraw_review(user=request.user, review=review)
    return _back(request, review.media)


def _visible(request: HttpRequest, pk: UUID) -> Review:
    seen = Media.objects.visible_to(request.user)
    return get_object_or_404(Review.objects.select_related("media__team").filter(media__in=seen), pk=pk)


def _back(request: HttpRequest, media: Media, error: str = "") -> HttpResponse:
    """To the reviewer's queue when that is where the form stood, else to the picture."""
    if error:
        messages.error(request, error)
    if "queue" in request.POST:
        at = request.POST.get("next", "") if not error else request.POST.get("at", "")
        return redirect(f"{reverse('gallery:review')}?at={at}" if at else reverse("gallery:review"))
    return redirect(f"{media.get_absolute_url()}#review")
