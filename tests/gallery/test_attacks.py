"""What somebody could try with the ids of others: each is refused, and nothing has changed."""

import pytest

from accounts.models import Membership, Team
from accounts.roles import Role
from gallery import services
from gallery.models import Album, AlbumItem, AlbumMember, Comment, Media, Review


@pytest.fixture
def spring(bob, studio, make_media) -> Album:
    return services.create_album(user=bob, team=studio, name="Spring", media=[make_media(bob).pk, make_media(bob).pk])


@pytest.fixture
def foreign(charlie, make_media) -> Media:
    """A picture of the outsider's own team."""
    return make_media(charlie, team=charlie.personal_team)


def test_a_foreign_picture_is_no_cover_and_takes_no_place(spring, foreign, bob, as_):
    client = as_(bob)
    before = list(spring.items.values_list("media", flat=True))
    client.post(f"/albums/{spring.pk}/{foreign.pk}/cover/")
    client.post(f"/albums/{spring.pk}/move/", {"media": str(foreign.pk)})
    client.post(f"/albums/{spring.pk}/move/", {"media": str(before[0]), "before": str(foreign.pk)})
    client.post("/albums/create/", {"name": "Mine", "visibility": "team", "media": [str(foreign.pk)]})
    spring.refresh_from_db()
    assert spring.cover is None
    assert list(spring.items.values_list("media", flat=True)) == before
    assert not AlbumItem.objects.filter(media=foreign).exists()


def test_an_album_that_one_cannot_see_is_filled_by_nobody(spring, foreign, charlie, as_):
    as_(charlie).post(f"/gallery/{foreign.pk}/albums/", {"album": [str(spring.pk)]})
    assert not AlbumItem.objects.filter(media=foreign).exists()


def test_a_member_of_another_album_is_not_removed_through_this_one(spring, bob, alice, studio, victor, as_):
    other = services.create_album(user=alice, team=studio, name="Other", visibility="private")
    member = services.share_album(user=alice, album=other, email=victor.email, right="view")
    assert as_(bob).post(f"/albums/{spring.pk}/members/{member.pk}/remove/").status_code == 404
    assert AlbumMember.objects.filter(pk=member.pk).exists()


def test_an_answer_to_a_comment_of_a_picture_one_cannot_see(bob, foreign, charlie, make_media, as_):
    hidden = services.add_comment(user=charlie, media=foreign, text="Secret")
    answer = as_(bob).post(f"/gallery/{make_media(bob).pk}/comment/", {"text": "Hm", "parent": str(hidden.pk)})
    assert answer.status_code == 404
    assert Comment.objects.count() == 1


def test_a_new_version_of_a_foreign_picture(bob, alice, foreign, make_media, as_):
    media = make_media(bob)
    answer = as_(bob).post(f"/gallery/{media.pk}/review/", {"role": "owner", "version_of": str(foreign.pk)})
    assert answer.status_code == 404
    assert not Review.objects.exists()


def test_a_colleagues_picture_is_not_made_a_version_of_anything(bob, alice, studio, make_media, as_):
    services.set_policy(user=alice, team=studio, makers_may_approve=True)
    earlier, hers = make_media(bob), make_media(alice)
    answer = as_(bob).post(f"/gallery/{hers.pk}/review/", {"role": "owner", "version_of": str(earlier.pk)})
    assert answer.status_code == 403
    hers.refresh_from_db()
    assert hers.version_of is None


def test_reviewers_that_are_none_are_not_asked(bob, victor, charlie, alice, make_media, as_):
    media = make_media(bob)
    as_(bob).post(f"/gallery/{media.pk}/review/", {"reviewers": [str(victor.pk), str(charlie.pk)]})
    assert not Review.objects.exists()


def test_rights_end_with_the_role_at_the_next_request(bob, alice, studio, make_media, as_):
    media = make_media(alice)
    client = as_(bob)
    assert client.post(f"/gallery/{media.pk}/comment/", {"text": "Before"}).status_code == 302
    Membership.objects.filter(user=bob, team=studio).update(role=Role.VIEWER)
    assert client.post(f"/gallery/{media.pk}/comment/", {"text": "After"}).status_code == 403
    Membership.objects.filter(user=bob, team=studio).delete()
    assert client.post(f"/gallery/{media.pk}/comment/", {"text": "Gone"}).status_code == 404
    assert list(Comment.objects.values_list("text", flat=True)) == ["Before"]


def test_the_policy_of_another_team_cannot_be_set_by_working_in_it(bob, alice, studio, as_):
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=alice, role=Role.VIEWER)
    client = as_(alice)
    session = client.session
    session["team"] = str(other.pk)
    session.save()
    assert client.post("/team/standards/policy/", {"approvals": "3"}).status_code == 403
    session["team"] = str(charlie_team := Team.objects.create(name="Foreign").pk)
    session.save()
    client.post("/team/standards/policy/", {"approvals": "3"})
    assert services.policy_of(Team.objects.get(pk=charlie_team)).approvals == 1


def test_a_picture_keeps_its_team_whatever_a_form_says(bob, foreign, make_media, as_):
    media = make_media(bob)
    for path in ("title", "tags", "visibility"):
        as_(bob).post(
            f"/gallery/{media.pk}/{path}/",
            {"title": "x", "tags": "y", "visibility": "team", "team": str(foreign.team_id), "owner": "1"},
        )
    media.refresh_from_db()
    assert (media.team.name, media.owner) == ("Studio", bob)
