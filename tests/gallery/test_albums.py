"""Albums: who may fill, arrange and share them, and whom they show what."""

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Team
from accounts.roles import Role
from gallery import services
from gallery.models import Album, AlbumItem, Media, Notice


@pytest.fixture
def album(bob, studio, make_media) -> Album:
    """bob's album of three pictures."""
    ids = [make_media(bob).pk for _n in range(3)]
    return services.create_album(user=bob, team=studio, name="Spring", media=ids)


def order(album: Album) -> list:
    return list(album.items.values_list("media", flat=True))


def test_pictures_stand_in_the_order_they_came_in_and_only_once(album, bob, make_media):
    first = order(album)
    late = make_media(bob)
    assert services.add_to_album(user=bob, album=album, media=[first[0], late.pk, late.pk]) == 1
    assert order(album) == [*first, late.pk]


@pytest.mark.parametrize(("moved", "before", "expected"), [(2, 0, [2, 0, 1]), (0, None, [1, 2, 0]), (0, 2, [1, 0, 2])])
def test_a_picture_is_moved_before_another_or_to_the_end(album, bob, moved, before, expected):
    ids = order(album)
    services.move_in_album(user=bob, album=album, media=ids[moved], before=None if before is None else ids[before])
    assert order(album) == [ids[n] for n in expected]


def test_there_is_always_room_between_two_pictures(album, bob):
    ids = order(album)
    for _n in range(60):  # a float has 52 halves between two neighbours
        for mover in (ids[2], ids[0]):
            before = order(album)
            target = next(pk for pk in before[1:] if pk != mover)
            services.move_in_album(user=bob, album=album, media=mover, before=target)
            after = order(album)
            assert after.index(mover) + 1 == after.index(target)
    assert len(set(AlbumItem.objects.filter(album=album).values_list("position", flat=True))) == 3


def test_a_picture_of_another_team_does_not_come_in(album, bob, alice, make_media):
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=bob, role=Role.OWNER)
    foreign = make_media(bob, team=other)
    with pytest.raises(services.Refused, match="Only pictures of the team"):
        services.add_to_album(user=bob, album=album, media=[foreign.pk])


def test_a_private_picture_of_somebody_else_does_not_come_in(album, alice, bob, make_media):
    hidden = make_media(alice, visibility="private")
    with pytest.raises(services.Refused):
        services.add_to_album(user=bob, album=album, media=[hidden.pk])


def test_an_own_private_picture_becomes_the_teams_in_an_album_of_the_team(album, bob, victor, make_media):
    hidden = make_media(bob, visibility="private")
    services.add_to_album(user=bob, album=album, media=[hidden.pk])
    assert Media.objects.visible_to(victor).filter(pk=hidden.pk).exists()


def test_in_a_private_album_it_stays_private(bob, studio, victor, make_media):
    hidden = make_media(bob, visibility="private")
    services.create_album(user=bob, team=studio, name="Mine", visibility="private", media=[hidden.pk])
    assert not Media.objects.visible_to(victor).filter(pk=hidden.pk).exists()


def test_a_guest_sees_the_album_and_its_pictures_and_nothing_else(album, bob, charlie, make_media):
    elsewhere = make_media(bob)
    services.share_album(user=bob, album=album, email="Charlie@example.com", right="view")
    assert Album.objects.visible_to(charlie).get() == album
    seen = set(Media.objects.visible_to(charlie).values_list("pk", flat=True))
    assert seen == set(order(album))
    assert elsewhere.pk not in seen
    assert Notice.objects.get(user=charlie).verb == "album_shared"


@pytest.mark.parametrize(("right", "comments", "edits"), [("view", 0, 0), ("comment", 1, 0), ("edit", 1, 1)])
def test_each_right_allows_what_it_says(album, bob, charlie, right, comments, edits):
    services.share_album(user=bob, album=album, email=charlie.email, right=right)
    assert Media.objects.commentable_by(charlie).exists() == bool(comments)
    assert Album.objects.editable_by(charlie).exists() == bool(edits)
    assert not Album.objects.managed_by(charlie).exists()
    assert not Media.objects.editable_by(charlie).exists()


def test_another_members_lesser_right_takes_nothing_from_mine(album, bob, charlie, victor):
    services.share_album(user=bob, album=album, email=victor.email, right="view")
    services.share_album(user=bob, album=album, email=charlie.email, right="comment")
    assert Media.objects.commentable_by(charlie).exists()


def test_a_right_that_was_taken_back_shows_nothing_any_more(album, bob, charlie):
    member = services.share_album(user=bob, album=album, email=charlie.email, right="edit")
    services.unshare_album(user=bob, album=album, member=member)
    assert not Album.objects.visible_to(charlie).exists()
    assert not Media.objects.visible_to(charlie).exists()


def test_a_guest_who_may_edit_shares_it_with_nobody(album, bob, charlie, victor):
    services.share_album(user=bob, album=album, email=charlie.email, right="edit")
    with pytest.raises(PermissionDenied):
        services.share_album(user=charlie, album=album, email=victor.email, right="edit")
    with pytest.raises(PermissionDenied):
        services.delete_album(user=charlie, album=album)


def test_a_published_album_shows_its_pictures_to_everybody_here(album, bob, charlie):
    services.change_album(user=bob, album=album, visibility="published")
    assert Album.objects.visible_to(charlie).exists()
    assert Media.objects.visible_to(charlie).count() == 3


def test_an_album_goes_without_its_pictures(album, bob):
    services.delete_album(user=bob, album=album)
    assert Media.objects.kept().count() == 3


def test_taking_the_cover_out_leaves_the_album_without_one(album, bob):
    first = order(album)[0]
    services.set_cover(user=bob, album=album, media=first)
    services.remove_from_album(user=bob, album=album, media=[first])
    album.refresh_from_db()
    assert album.cover is None


def test_a_cover_has_to_stand_in_the_album(album, bob, make_media):
    with pytest.raises(services.Refused):
        services.set_cover(user=bob, album=album, media=make_media(bob).pk)


def test_the_page_shows_the_pictures_in_order(album, bob, as_):
    ids = order(album)
    services.move_in_album(user=bob, album=album, media=ids[2], before=ids[0])
    page = as_(bob).get(album.get_absolute_url()).content.decode()
    places = [page.index(f"tile-{ids[n]}") for n in (2, 0, 1)]
    assert places == sorted(places)


def test_a_picture_is_put_into_albums_by_ticking_them(album, bob, as_, make_media):
    media = make_media(bob)
    other = services.create_album(user=bob, team=album.team, name="Summer", media=[media.pk])
    as_(bob).post(f"/gallery/{media.pk}/albums/", {"album": [str(album.pk)], "name": "Autumn"})
    standing = set(AlbumItem.objects.filter(media=media).values_list("album__name", flat=True))
    assert standing == {"Spring", "Autumn"}
    assert not other.items.exists()
