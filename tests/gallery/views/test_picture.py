"""The picture page."""

import uuid
from urllib.parse import parse_qs

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gallery.models import Media


@pytest.mark.parametrize(
    ("who", "visibility", "status"),
    [
        ("alice", "private", 200),
        ("bob", "private", 404),
        ("bob", "team", 200),
        ("victor", "team", 200),
        ("charlie", "team", 404),
        ("charlie", "published", 200),
    ],
)
def test_who_sees_it(as_, alice, bob, victor, charlie, make_media, who, visibility, status):
    media = make_media(alice, visibility=visibility)
    client = as_(User.objects.get(email=f"{who}@example.com"))
    assert client.get(media.get_absolute_url()).status_code == status


def test_strangers_are_sent_to_the_entrance(client, alice, make_media):
    assert client.get(make_media(alice, visibility="published").get_absolute_url()).status_code == 302


def test_an_unknown_picture_is_not_found(as_, alice):
    assert as_(alice).get(reverse("gallery:picture", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("alice", 200), ("victor", 404)])
def test_the_trash_shows_to_those_who_could_restore(as_, alice, bob, victor, make_media, who, status):
    media = make_media(bob)
    Media.objects.update(deleted=timezone.now())
    response = as_(User.objects.get(email=f"{who}@example.com")).get(media.get_absolute_url())
    assert response.status_code == status
    assert ("moved to the trash" in response.content.decode()) == (status == 200)


def test_the_whole_recipe_is_there(as_, alice, make_media):
    licence = {"licence": "Apache-2.0", "commercial_use": "yes", "licence_url": "https://example.com/licence"}
    facts = {"negative_prompt": "text", "style": "3D icon", "checkpoint_hash": "abcdef0123456789", **licence}
    media = make_media(alice, prompt="a pear", seed=4127, steps=31, **facts)
    page = as_(alice).get(media.get_absolute_url()).content.decode()
    for words in ("a pear", "text", "3D icon", "4127", "31", "abcdef012345", "Apache-2.0", "Free for commercial use"):
        assert words in page


def test_a_picture_without_a_recipe_has_a_page_too(as_, alice, studio):
    media = Media.objects.create(team=studio, owner=None, file="x.png", width=10, height=20, bytes=1, sha256="")
    assert as_(alice).get(media.get_absolute_url()).status_code == 200


def test_its_settings_fill_the_create_page(as_, alice, make_media):
    media = make_media(alice, prompt="a pear & more", seed=9, style_slug="3d-icon", checkpoint_slug="starter")
    tile = as_(alice).get(media.get_absolute_url()).context["tile"]
    values = parse_qs(tile.settings)
    assert values["prompt"] == ["a pear & more"]
    assert (values["seed"], values["count"], values["guidance"]) == (["9"], ["1"], ["4"])
    assert (values["style"], values["checkpoint"]) == (["3d-icon"], ["starter"])


def test_neighbours_follow_the_gallery_that_it_was_opened_from(as_, alice, bob, make_media):
    first, other, apple, last = (
        make_media(alice, prompt="pear"),
        make_media(bob, prompt="apple"),
        make_media(alice, prompt="apple"),
        make_media(alice, prompt="pear"),
    )
    client = as_(alice)

    def beside(media: Media, **query) -> tuple[Media | None, Media | None]:
        context = client.get(media.get_absolute_url(), query).context
        return context["newer"], context["older"]

    assert beside(apple) == (last, first)
    assert beside(apple, tab="team") == (last, other)
    assert beside(apple, tab="team", q="apple") == (None, other)
    assert beside(last) == (None, apple)
    assert beside(first) == (apple, None)


def test_siblings_are_the_visible_rest_of_the_job(as_, alice, bob, make_media):
    pictures = [make_media(alice) for _n in range(4)]
    for index, media in enumerate(pictures):
        Media.objects.filter(pk=media.pk).update(job=uuid.UUID(int=1), index=index)
    Media.objects.filter(pk=pictures[1].pk).update(visibility="private")
    Media.objects.filter(pk=pictures[2].pk).update(deleted=timezone.now())
    shown = as_(bob).get(pictures[0].get_absolute_url()).context["siblings"]
    assert [tile.media for tile, _place in shown] == [pictures[3]]


@pytest.mark.parametrize(("who", "may_change"), [("alice", True), ("bob", True), ("victor", False)])
def test_only_those_who_may_change_it_are_offered_to(as_, alice, bob, victor, make_media, who, may_change):
    media = make_media(bob)
    page = as_(User.objects.get(email=f"{who}@example.com")).get(media.get_absolute_url()).content.decode()
    assert (reverse("gallery:trash_one", args=[media.pk]) in page) == may_change
    assert ('name="visibility"' in page) == may_change
