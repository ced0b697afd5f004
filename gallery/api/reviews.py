"""The way to "approved": asked, decided, and how it went."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status
from ninja.errors import ValidationError

from accounts.api.asking import Asked, Once, asked, checked, mistake, team_asked
from accounts.api.me import PersonOut
from accounts.api.pages import NEXT, Cursor, Limit, cut
from accounts.models import User
from accounts.services import once
from gallery import services
from gallery.api.media import seen
from gallery.forms import DecisionForm, ReviewForm, ReviewTab
from gallery.models import Decision, Media, Review

router = Router(tags=["reviews"])


class DecisionOut(Schema):
    """What one reviewer said. It is never changed."""

    verdict: Decision.Verdict
    note: str
    reviewer: str = Field(description="their name at that time")
    sha256: str = Field(description="of the very file that was looked at")
    created: datetime


class ReviewOut(Schema):
    """One request to look at one picture, and what was decided."""

    id: UUID
    media: UUID
    asked_by: PersonOut | None
    reviewers: list[PersonOut] = Field(description="who was asked by name")
    role: str = Field(description="or whoever has this role")
    note: str
    created: datetime
    closed: datetime | None = Field(description="null while it waits")
    state: str = Field(description="of the picture: empty, asked, changes, approved or rejected")
    may_decide: bool = Field(description="whether the caller has a say in it, and has not said it yet")
    decisions: list[DecisionOut]

    @classmethod
    def of(cls, review: Review, *, may_decide: bool) -> "ReviewOut":
        """Told from a row with all that belongs to it."""
        plain = ("id", "role", "note", "created", "closed")
        return cls(
            **{name: getattr(review, name) for name in plain},
            media=review.media_id,
            asked_by=PersonOut.of(review.asked_by) if review.asked_by else None,
            reviewers=[PersonOut.of(person) for person in review.reviewers.all()],
            state=review.media.review_state,
            may_decide=may_decide,
            decisions=[
                DecisionOut(reviewer=decision.reviewer_name, **{name: getattr(decision, name) for name in _SAID})
                for decision in review.decisions.all()
            ],
        )


_SAID = ("verdict", "note", "sha256", "created")


class ReviewsOut(Schema):
    """A page of reviews, the newest first."""

    items: list[ReviewOut]
    next: str | None = Field(description=NEXT)


class ReviewIn(Asked):
    """Who is to look. One of `reviewers` and `role` is needed."""

    model_config = {"extra": "forbid"}

    reviewers: list[int] = Field(default_factory=list, max_length=100, description="ids, from GET /reviewers")
    role: str = Field("", pattern="^(|owner|manager|reviewer)$", description="or whoever has this role")
    note: str = Field("", max_length=2000)
    version_of: UUID | None = Field(None, description="the earlier picture that this one takes the place of")


class DecisionIn(Asked):
    """What one says. Asking for changes needs a note; a point pins it to the picture."""

    model_config = {"extra": "forbid"}

    verdict: Decision.Verdict
    note: str = Field("", max_length=2000)
    x: float | None = Field(None, ge=0, le=1)
    y: float | None = Field(None, ge=0, le=1)


@router.get("/reviewers", response=list[PersonOut], summary="Whom one may ask")
def reviewers(request: HttpRequest, team: UUID | None = None) -> list[PersonOut]:
    """The people of the team whose role reviews."""
    return [PersonOut.of(person) for person in services.people_to_ask(team_asked(request, team))]


@router.get("/reviews", response=ReviewsOut, summary="Reviews")
def reviews(
    request: HttpRequest,
    tab: ReviewTab = ReviewTab.WAITING,
    team: UUID | None = None,
    limit: Limit = 40,
    cursor: Cursor = None,
) -> ReviewsOut:
    """What waits for the caller, what they asked for, or what was decided in the team. The newest first."""
    found = _whole(tab.of(request.user, team_asked(request, team)))
    rows, following = cut(found, "created", cursor=cursor, limit=limit)
    return ReviewsOut(items=_told(rows, request.user), next=following)


@router.get("/media/{uuid:pk}/reviews", response=list[ReviewOut], summary="Reviews of a picture")
def history(request: HttpRequest, pk: UUID) -> list[ReviewOut]:
    """Its whole history, the first request first."""
    return _told(_whole(seen(request, pk).reviews), request.user)


@router.post("/media/{uuid:pk}/reviews", response={201: ReviewOut}, summary="Ask for a review")
def ask(
    request: HttpRequest, response: HttpResponse, pk: UUID, wanted: ReviewIn, idempotency_key: Once = None
) -> Status:
    """Tells whoever is asked. There is one review of a picture at a time."""
    media = seen(request, pk)

    def make() -> str:
        given = {"role": [wanted.role], "note": [wanted.note], "reviewers": [str(pk) for pk in wanted.reviewers]}
        said = checked(ReviewForm(MultiValueDict(given | {"version_of": [wanted.version_of or ""]})))
        known = {person.pk: person for person in services.people_to_ask(media.team)}
        if strangers := [place for place, person in enumerate(said["reviewers"]) if person not in known]:
            told = _("Nobody with this id reviews in this team.")
            raise ValidationError([mistake(told, "reviewers", place) for place in strangers])
        earlier = None
        if said["version_of"]:
            earlier = Media.objects.visible_to(request.user).filter(pk=said["version_of"]).first()
            if earlier is None:
                raise ValidationError([mistake(_("There is no such picture."), "version_of")])
        asked_for = said | {"reviewers": [known[person] for person in said["reviewers"]], "version_of": earlier}
        return str(services.ask_review(user=request.user, media=media, **asked_for).pk)

    made = UUID(once(user=request.user, key=idempotency_key, asked=asked(request), make=make))
    response["Location"] = reverse("api:review", args=[made])
    return Status(201, _one(request, made))


@router.get("/reviews/{uuid:pk}", response=ReviewOut, summary="One review", url_name="review")
def review(request: HttpRequest, pk: UUID) -> ReviewOut:
    """While one may see its picture."""
    return _one(request, pk)


@router.post("/reviews/{uuid:pk}/decisions", response={201: ReviewOut}, summary="Decide")
def decide(request: HttpRequest, pk: UUID, wanted: DecisionIn, idempotency_key: Once = None) -> Status:
    """Approves, asks for changes, or rejects; it stands in the picture's history, and closes the review unless more
    people have to approve."""
    found = _seen(request, pk)

    def make() -> str:
        said = checked(DecisionForm(wanted.dict()))
        return str(services.decide(user=request.user, review=found, **said).pk)

    once(user=request.user, key=idempotency_key, asked=asked(request), make=make)
    return Status(201, _one(request, pk))


@router.post("/reviews/{uuid:pk}/withdraw", response=ReviewOut, summary="Take a request back")
def withdraw(request: HttpRequest, pk: UUID) -> ReviewOut:
    """For who asked, and curators. One that is closed stays as it is."""
    services.withdraw_review(user=request.user, review=_seen(request, pk))
    return _one(request, pk)


def _whole(rows: QuerySet[Review]) -> QuerySet[Review]:
    return rows.select_related("asked_by", "media__team").prefetch_related("reviewers", "decisions")


def _seen(request: HttpRequest, pk: UUID) -> Review:
    """A review of a picture that the caller may see; else 404."""
    return get_object_or_404(_whole(Review.objects.filter(media__in=Media.objects.visible_to(request.user))), pk=pk)


def _one(request: HttpRequest, pk: UUID) -> ReviewOut:
    return _told([_seen(request, pk)], request.user)[0]


def _told(found: Iterable[Review], viewer: User) -> list[ReviewOut]:
    rows = list(found)
    open_to = services.decidable_among(viewer, rows)
    return [ReviewOut.of(row, may_decide=row.pk in open_to) for row in rows]
