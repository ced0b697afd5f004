"""Comments: where they point, whom they name, who hears of them."""

import pytest
from django.core.exceptions import PermissionDenied

from gallery import services
from gallery.models import Comment, Notice, Tag


@pytest.fixture
def media(bob, make_media):
    """A picture of bob's that the studio sees."""
    return make_media(bob)


def test_a_comment_may_point_at_the_picture(media, alice):
    comment = services.add_comment(user=alice, media=media, text=" Darker here ", x=0.25, y=0.5)
    assert (comment.text, comment.x, comment.y, comment.is_pinned) == ("Darker here", 0.25, 0.5, True)


@pytest.mark.parametrize("point", [{"x": "0.2"}, {"x": "1.2", "y": "0.1"}, {"x": "nan", "y": "0.1"}])
def test_half_a_point_or_one_outside_is_refused(media, alice, as_, point):
    as_(alice).post(f"/gallery/{media.pk}/comment/", {"text": "Here", **point})
    assert not Comment.objects.exists()


def test_an_answer_to_an_answer_stands_in_the_same_thread(media, alice, bob):
    first = services.add_comment(user=alice, media=media, text="Darker?")
    second = services.add_comment(user=bob, media=media, text="No", parent=first)
    third = services.add_comment(user=alice, media=media, text="Why?", parent=second)
    assert third.parent == first


def test_an_answer_belongs_to_the_picture_it_answers_on(media, alice, bob, make_media):
    elsewhere = services.add_comment(user=alice, media=make_media(bob), text="Hm")
    with pytest.raises(PermissionDenied):
        services.add_comment(user=alice, media=media, text="Yes", parent=elsewhere)


def test_the_maker_hears_of_it_and_the_speaker_does_not(media, alice, bob):
    services.add_comment(user=alice, media=media, text="Good")
    services.add_comment(user=bob, media=media, text="Thanks")
    assert list(Notice.objects.values_list("user__name", "verb")) == [("Bob", "commented")]


def test_those_in_the_thread_hear_of_an_answer(media, alice, bob, victor):
    first = services.add_comment(user=alice, media=media, text="Darker?")
    Notice.objects.all().delete()
    services.add_comment(user=bob, media=media, text="No", parent=first)
    assert list(Notice.objects.values_list("user__name", "verb")) == [("Alice", "replied")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Victor look", {"Victor"}),
        ("look, @victor, and @ALICE!", {"Victor", "Alice"}),
        ("@victor@example.com", {"Victor"}),
        ("mail victor@example.com", set()),
        ("@Victoria is somebody else", set()),
        ("@Charlie is an outsider", set()),
        ("nobody", set()),
    ],
)
def test_an_at_names_people_who_can_see_the_picture(media, alice, bob, victor, charlie, text, named):
    assert {person.name for person in services.mentioned_in(text, media)} == named


def test_who_is_named_is_told_so_even_if_the_picture_is_theirs(media, alice, bob):
    services.add_comment(user=alice, media=media, text="@Bob please")
    assert Notice.objects.get().verb == "mentioned"


def test_editing_tells_only_those_who_are_newly_named(media, alice, bob, victor):
    comment = services.add_comment(user=alice, media=media, text="@Bob please")
    Notice.objects.all().delete()
    services.edit_comment(user=alice, comment=comment, text="@Bob and @Victor please")
    assert list(Notice.objects.values_list("user__name", "verb")) == [("Victor", "mentioned")]


def test_nobody_edits_the_words_of_others_but_a_curator_may_take_them_away(media, alice, bob):
    comment = services.add_comment(user=bob, media=media, text="Hm")
    with pytest.raises(PermissionDenied):
        services.edit_comment(user=alice, comment=comment, text="Ha")
    services.delete_comment(user=alice, comment=comment)
    comment.refresh_from_db()
    assert (comment.text, bool(comment.deleted)) == ("", True)


def test_answers_stay_when_the_first_words_go(media, alice, bob, as_):
    first = services.add_comment(user=bob, media=media, text="Remove me")
    services.add_comment(user=alice, media=media, text="I answered", parent=first)
    services.delete_comment(user=bob, comment=first)
    page = as_(alice).get(media.get_absolute_url()).content.decode()
    assert "I answered" in page
    assert "Remove me" not in page


def test_what_is_muted_is_not_told(media, alice, bob):
    services.prefer_notices(user=bob, letters="never", muted=["commented"])
    services.add_comment(user=alice, media=media, text="Good")
    assert not Notice.objects.exists()


def test_words_are_shown_as_words(media, alice, as_):
    services.add_comment(user=alice, media=media, text="<script>alert(1)</script> https://example.com")
    page = as_(alice).get(media.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert 'rel="nofollow"' in page


def test_tags_are_small_letters_each_once_and_go_with_their_last_picture(media, alice):
    assert services.set_tags(user=alice, media=media, words=["Spring ", "#spring", " Pack  shot", ""]) == [
        "spring",
        "pack shot",
    ]
    services.set_tags(user=alice, media=media, words=[])
    assert not Tag.objects.exists()


def test_too_many_or_too_long_tags_are_refused(media, alice):
    with pytest.raises(services.Refused):
        services.set_tags(user=alice, media=media, words=[f"tag {n}" for n in range(21)])
    with pytest.raises(services.Refused):
        services.set_tags(user=alice, media=media, words=["x" * 41])


def test_stars_are_one_a_person_and_can_be_taken_back(media, alice, bob, as_):
    services.rate_media(user=alice, media=media, stars=5)
    services.rate_media(user=alice, media=media, stars=3)
    services.rate_media(user=bob, media=media, stars=4)
    assert "3.5" in as_(alice).get(media.get_absolute_url()).content.decode()
    services.rate_media(user=alice, media=media, stars=0)
    assert media.ratings.count() == 1


def test_a_viewer_says_nothing(media, victor):
    for say in (
        lambda: services.add_comment(user=victor, media=media, text="Hm"),
        lambda: services.rate_media(user=victor, media=media, stars=1),
        lambda: services.set_tags(user=victor, media=media, words=["x"]),
        lambda: services.set_title(user=victor, media=media, title="x"),
    ):
        with pytest.raises(PermissionDenied):
            say()
