"""The way to "approved": who may ask, who decides, and that what was decided stays."""

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership
from accounts.roles import Role
from gallery import services
from gallery.models import Decision, Media, Notice, Review


@pytest.fixture
def media(bob, make_media):
    """A picture of bob's that the studio sees."""
    return make_media(bob)


def state(media: Media) -> str:
    media.refresh_from_db()
    return media.review_state


def test_approval_ends_the_review_and_tells_who_asked(media, bob, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita], note="Is the blue ours?")
    assert state(media) == "asked"
    assert list(Review.objects.waiting_for(rita)) == [review]
    services.decide(user=rita, review=review, verdict="approved")
    assert state(media) == "approved"
    assert not Review.objects.open().exists()
    assert Notice.objects.filter(user=bob, verb="approved").exists()
    assert Notice.objects.filter(user=rita, verb="review_asked").exists()


def test_changes_need_words_and_can_point_at_the_picture(media, bob, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    with pytest.raises(services.Refused, match="what is to change"):
        services.decide(user=rita, review=review, verdict="changes")
    services.decide(user=rita, review=review, verdict="changes", note="Brighter", x=0.5, y=0.1)
    assert state(media) == "changes"
    assert media.comments.get().x == 0.5


def test_a_new_version_is_a_new_review_and_the_old_decision_stays(media, bob, rita, make_media, as_):
    first = services.ask_review(user=bob, media=media, reviewers=[rita])
    services.decide(user=rita, review=first, verdict="changes", note="Brighter")
    better = make_media(bob)
    second = services.ask_review(user=bob, media=better, reviewers=[rita], version_of=media)
    services.decide(user=rita, review=second, verdict="approved")
    better.refresh_from_db()
    assert (better.version_of, better.review_state, state(media)) == (media, "approved", "changes")
    assert "Brighter" in as_(bob).get(media.get_absolute_url()).content.decode()


def test_the_maker_does_not_approve_their_own_whatever_their_role(alice, rita, make_media):
    own = make_media(alice)
    review = services.ask_review(user=alice, media=own, role=Role.REVIEWER)
    with pytest.raises(PermissionDenied):
        services.decide(user=alice, review=review, verdict="approved")
    assert review not in Review.objects.waiting_for(alice)


def test_unless_the_teams_policy_lets_them(alice, make_media, studio):
    services.set_policy(user=alice, team=studio, makers_may_approve=True)
    own = make_media(alice)
    review = services.ask_review(user=alice, media=own, role=Role.OWNER)
    assert review in Review.objects.waiting_for(alice)
    services.decide(user=alice, review=review, verdict="approved")
    assert state(own) == "approved"


def test_two_people_approve_where_two_are_asked_for(media, alice, bob, rita, studio):
    services.set_policy(user=alice, team=studio, approvals=2)
    review = services.ask_review(user=bob, media=media, reviewers=[alice, rita])
    services.decide(user=rita, review=review, verdict="approved")
    assert state(media) == "asked"
    assert review not in Review.objects.waiting_for(rita)
    with pytest.raises(services.Refused, match="decided on this already"):
        services.decide(user=rita, review=review, verdict="approved")
    services.decide(user=alice, review=review, verdict="approved")
    assert state(media) == "approved"


def test_one_rejection_is_enough(media, alice, bob, rita, studio):
    services.set_policy(user=alice, team=studio, approvals=2)
    review = services.ask_review(user=bob, media=media, reviewers=[alice, rita])
    services.decide(user=rita, review=review, verdict="rejected")
    assert state(media) == "rejected"
    with pytest.raises(services.Refused, match="closed already"):
        services.decide(user=alice, review=review, verdict="approved")


def test_a_decision_cannot_be_changed_and_names_the_file_it_was_about(media, bob, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    decision = services.decide(user=rita, review=review, verdict="approved")
    assert decision.sha256 == media.sha256
    decision.verdict = Decision.Verdict.REJECTED
    with pytest.raises(ValueError, match="cannot be changed"):
        decision.save()


def test_a_decision_stays_when_the_reviewer_goes(media, bob, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    services.decide(user=rita, review=review, verdict="approved")
    rita.delete()
    assert Decision.objects.get().reviewer_name == "Rita"


@pytest.mark.parametrize("person", ["victor", "charlie", "bob"])
def test_who_does_not_review_decides_nothing(media, bob, rita, person, request):
    review = services.ask_review(user=bob, media=media, role=Role.REVIEWER)
    with pytest.raises(PermissionDenied):
        services.decide(user=request.getfixturevalue(person), review=review, verdict="approved")


def test_a_reviewer_who_left_decides_nothing(media, bob, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    Membership.objects.filter(user=rita, role=Role.REVIEWER).delete()
    assert not Review.objects.waiting_for(rita).exists()
    with pytest.raises(PermissionDenied):
        services.decide(user=rita, review=review, verdict="approved")


def test_asking_nobody_who_could_answer_is_refused(media, bob, alice, make_media):
    with pytest.raises(services.Refused, match="Say who"):
        services.ask_review(user=bob, media=media)
    with pytest.raises(services.Refused, match="Nobody you ask"):
        services.ask_review(user=bob, media=media, role=Role.REVIEWER)
    with pytest.raises(services.Refused, match="Nobody you ask"):
        services.ask_review(user=alice, media=make_media(alice), reviewers=[alice])


def test_a_stranger_cannot_be_asked(media, bob, charlie, victor):
    for person in (charlie, victor):
        with pytest.raises(PermissionDenied):
            services.ask_review(user=bob, media=media, reviewers=[person])


def test_a_private_picture_is_shown_to_the_team_first(bob, rita, make_media):
    with pytest.raises(services.Refused, match="Show it to the team"):
        services.ask_review(user=bob, media=make_media(bob, visibility="private"), reviewers=[rita])


def test_one_review_at_a_time(media, bob, rita):
    services.ask_review(user=bob, media=media, reviewers=[rita])
    with pytest.raises(services.Refused, match="under way"):
        services.ask_review(user=bob, media=media, reviewers=[rita])


def test_a_request_is_withdrawn_by_who_asked_or_a_curator(media, alice, bob, victor, rita):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    with pytest.raises(PermissionDenied):
        services.withdraw_review(user=victor, review=review)
    services.withdraw_review(user=bob, review=review)
    assert state(media) == ""


def test_the_queue_goes_on_to_the_next_one(media, bob, rita, make_media, as_):
    first = services.ask_review(user=bob, media=media, reviewers=[rita])
    second = services.ask_review(user=bob, media=make_media(bob), reviewers=[rita])
    client = as_(rita)
    page = client.get("/review/").content.decode()
    assert f"at={second.pk}" in page
    answer = client.post(f"/review/{first.pk}/decide/", {"verdict": "approved", "queue": "1", "next": str(second.pk)})
    assert answer["Location"] == f"/review/?at={second.pk}"


def test_a_picture_in_the_trash_waits_for_nobody(media, bob, rita):
    services.ask_review(user=bob, media=media, reviewers=[rita])
    services.trash_media(user=bob, media=media)
    assert not Review.objects.waiting_for(rita).exists()
