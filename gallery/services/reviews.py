"""The way to "approved": asked, decided, and kept as it was."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User, WebhookEvent
from accounts.permissions import can
from accounts.roles import Action, Role, roles_for
from accounts.services import emit
from gallery.models import Comment, Decision, Media, Review, ReviewPolicy, Verb
from gallery.services.activity import record
from gallery.services.refused import Refused

VERBS = {
    Decision.Verdict.APPROVED: Verb.APPROVED,
    Decision.Verdict.CHANGES: Verb.CHANGES_WANTED,
    Decision.Verdict.REJECTED: Verb.REJECTED,
}


def policy_of(team: Team) -> ReviewPolicy:
    """What `team` asks of a picture; the defaults while nobody has said anything."""
    return ReviewPolicy.objects.filter(team=team).first() or ReviewPolicy(team=team)


def set_policy(*, user: User, team: Team, **fields: object) -> ReviewPolicy:
    """Changes `approvals` (1-3), `makers_may_approve` or `marks_drafts`."""
    if not can(user, Action.MANAGE_PEOPLE, team):
        raise PermissionDenied
    return ReviewPolicy.objects.update_or_create(team=team, defaults=fields)[0]


def people_to_ask(team: Team) -> list[User]:
    """Those whose role in `team` reviews."""
    held = Q(memberships__team=team, memberships__role__in=roles_for(Action.REVIEW))
    return list(User.objects.filter(held, is_active=True).distinct())


@transaction.atomic
def ask_review(
    *,
    user: User,
    media: Media,
    reviewers: Iterable[User] = (),
    role: str = "",
    note: str = "",
    version_of: Media | None = None,
) -> Review:
    """Asks named people, or whoever has `role`, to look at a picture. Refused when nobody could answer."""
    if not Media.objects.visible_to(user).kept().filter(pk=media.pk).exists():
        raise PermissionDenied
    if not can(user, Action.ORGANISE, media.team_id):
        raise PermissionDenied
    asked = list(reviewers)
    _check_askable(media, asked, role)
    if version_of is not None:
        _check_version(user, media, version_of)
        Media.objects.filter(pk=media.pk).update(version_of=version_of)
    review = Review.objects.create(media=media, asked_by=user, role=role, note=note.strip())
    review.reviewers.set(asked)
    _set_state(media, Media.ReviewState.ASKED)
    tell = asked or [person for person in people_to_ask(media.team) if _has_role(person, media.team, role)]
    record(team=media.team, actor=user, verb=Verb.REVIEW_ASKED, media=media, text=note, tell=tell)
    return review


def _check_askable(media: Media, asked: list[User], role: str) -> None:
    if media.visibility == Media.Visibility.PRIVATE:
        raise Refused(_("Only you can see this picture. Show it to the team first."))
    if Review.objects.open().filter(media=media).exists():
        raise Refused(_("A review of this picture is under way already."))
    if not asked and not role:
        raise Refused(_("Say who is to look: name people, or choose a role."))
    able = {person.pk: person for person in people_to_ask(media.team)}
    if any(person.pk not in able for person in asked) or (role and Role(role) not in roles_for(Action.REVIEW)):
        raise PermissionDenied
    if not policy_of(media.team).makers_may_approve and media.owner_id:
        able.pop(media.owner_id, None)
    by_name = any(person.pk in able for person in asked)
    if not by_name and not any(_has_role(person, media.team, role) for person in able.values()):
        raise Refused(_("Nobody you ask may decide on this picture; its maker cannot. Ask somebody else."))


def _has_role(person: User, team: Team, role: str) -> bool:
    return person.memberships.filter(team=team, role=role).exists()


def _check_version(user: User, media: Media, earlier: Media) -> None:
    seen = Media.objects.visible_to(user).filter(pk=earlier.pk, team=media.team_id).exists()
    own = Media.objects.editable_by(user).filter(pk=media.pk).exists()
    if not seen or not own or earlier.pk == media.pk:
        raise PermissionDenied


def withdraw_review(*, user: User, review: Review) -> None:
    """Takes a request back: who asked, or a curator."""
    media = review.media
    if review.asked_by_id != user.pk and not can(user, Action.CURATE, media.team_id):
        raise PermissionDenied
    if not can(user, Action.VIEW, media.team_id):
        raise PermissionDenied
    with transaction.atomic():
        if Review.objects.open().filter(pk=review.pk).update(closed=timezone.now()):
            _set_state(media, Media.ReviewState.NONE)


@transaction.atomic
def decide(
    *,
    user: User,
    review: Review,
    verdict: str,
    note: str = "",
    x: float | None = None,
    y: float | None = None,
) -> Decision:
    """Approves, asks for changes (with a note, pinned to a point where `x` and `y` are given) or rejects.

    Asking for changes or rejecting ends the review at once; approving ends it when enough people have.
    """
    verdict = Decision.Verdict(verdict)
    media = review.media
    if not may_decide(user, review):
        raise PermissionDenied
    if verdict == Decision.Verdict.CHANGES and not note.strip():
        raise Refused(_("Say what is to change."))
    # A write takes the row's lock, so that two decisions at once see each other.
    if not Review.objects.open().filter(pk=review.pk).update(created=F("created")):
        raise Refused(_("This review is closed already. Reload the page to see how it ended."))
    if review.decisions.filter(reviewer=user).exists():
        raise Refused(_("You have decided on this already."))
    decision = Decision.objects.create(
        review=review,
        reviewer=user,
        reviewer_name=str(user),
        verdict=verdict,
        note=note.strip(),
        sha256=media.sha256,
    )
    comment = None
    if x is not None and y is not None and note.strip():
        comment = Comment.objects.create(media=media, author=user, text=note.strip(), x=x, y=y)
    _settle(review, verdict)
    tell = [person for person in (review.asked_by, media.owner) if person]
    record(team=media.team, actor=user, verb=VERBS[verdict], media=media, comment=comment, text=note, tell=tell)
    _tell_webhooks(decision)
    return decision


def _tell_webhooks(decision: Decision) -> None:
    media = decision.review.media
    data = {
        "review": str(decision.review_id),
        "media": str(media.pk),
        "title": media.title,
        "verdict": decision.verdict,
        "note": decision.note,
        "reviewer": {"id": decision.reviewer_id, "name": decision.reviewer_name},
        "review_state": media.review_state,
        "team": str(media.team_id),
    }
    event = f"decision:{decision.pk}"
    emit(team=media.team_id, kind=WebhookEvent.REVIEW_DECIDED, event=event, data=lambda: data)


def may_decide(user: User, review: Review) -> bool:
    """Whether `user` has a say in this review: the role for it, sight of the picture, and not its maker by policy."""
    media = review.media
    if not can(user, Action.REVIEW, media.team_id) or not Media.objects.visible_to(user).filter(pk=media.pk).exists():
        return False
    return media.owner_id != user.pk or policy_of(media.team).makers_may_approve


def decidable_among(user: User, reviews: Iterable[Review]) -> set[UUID]:
    """Those of `reviews`, of pictures that `user` sees, which wait for what they may say and have not said."""
    waiting = [review for review in reviews if review.closed is None]
    teams = {review.media.team_id for review in waiting}
    reviewing = set(Team.objects.where(user, Action.REVIEW).filter(pk__in=teams).values_list("pk", flat=True))
    trusting = set(ReviewPolicy.objects.filter(team__in=teams, makers_may_approve=True).values_list("team", flat=True))
    decided = set(Decision.objects.filter(review__in=waiting, reviewer=user).values_list("review", flat=True))
    return {
        review.pk
        for review in waiting
        if review.media.team_id in reviewing
        and (review.media.owner_id != user.pk or review.media.team_id in trusting)
        and review.pk not in decided
    }


def _settle(review: Review, verdict: Decision.Verdict) -> None:
    media = review.media
    if verdict == Decision.Verdict.APPROVED:
        approvals = review.decisions.filter(verdict=Decision.Verdict.APPROVED).count()
        if approvals < policy_of(media.team).approvals:
            return
    Review.objects.filter(pk=review.pk).update(closed=timezone.now())
    _set_state(media, Media.ReviewState(verdict))


def _set_state(media: Media, state: Media.ReviewState) -> None:
    Media.objects.filter(pk=media.pk).update(review_state=state)
    media.review_state = state


def is_draft(media: Media) -> bool:
    """Whether the picture may leave only with the word "Draft" on it."""
    return media.review_state != Media.ReviewState.APPROVED and policy_of(media.team).marks_drafts


def drafts_among(pictures: Iterable[Media]) -> set[UUID]:
    """Those of `pictures` that are drafts, in one query."""
    waiting = [media for media in pictures if media.review_state != Media.ReviewState.APPROVED]
    teams = {media.team_id for media in waiting}
    policies = dict(ReviewPolicy.objects.filter(team__in=teams).values_list("team", "marks_drafts"))
    default = ReviewPolicy._meta.get_field("marks_drafts").default
    return {media.pk for media in waiting if policies.get(media.team_id, default)}
