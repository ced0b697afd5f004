"""Trash, restore, like and visibility: who may, and what the page gets back."""

import uuid

import pytest
from django.urls import reverse

from accounts.models import User
from gallery.models import Like, Media

HTMX = {"HX-Request": "true"}
SENT = {
    "trash_one": {},
    "restore": {},
    "like": {"liked": "1"},
    "visibility": {"visibility": "published"},
}


def url(action: str, media: Media) -> str:
    return reverse(f"gallery:{action}", args=[media.pk])


@pytest.mark.parametrize("action", SENT)
@pytest.mark.parametrize(
    ("who", "visibility", "status"),
    [
        ("bob", "team", 200),
        ("alice", "team", 200),
        ("victor", "team", 403),
        ("charlie", "team", 404),
        ("alice", "private", 404),
        ("charlie", "published", 403),
    ],
)
def test_who_may(as_, alice, bob, victor, charlie, make_media, action, who, visibility, status):
    media = make_media(bob, visibility=visibility)
    if action == "like" and status == 403:
        status = 200  # whoever sees a picture may like it
    response = as_(User.objects.get(email=f"{who}@example.com")).post(url(action, media), SENT[action], headers=HTMX)
    assert response.status_code == status


@pytest.mark.parametrize("action", SENT)
def test_strangers_and_links_change_nothing(client, as_, alice, make_media, action):
    media = make_media(alice)
    assert client.post(url(action, media), SENT[action]).url.startswith(reverse("account_login"))
    assert as_(alice).get(url(action, media)).status_code == 405
    assert as_(alice).post(reverse(f"gallery:{action}", args=[uuid.uuid4()]), SENT[action]).status_code == 404
    media.refresh_from_db()
    assert (media.deleted, media.visibility, Like.objects.count()) == (None, "team", 0)


def test_delete_offers_an_undo_that_brings_the_tile_back(as_, alice, make_media):
    media, client = make_media(alice), as_(alice)
    toast = client.post(url("trash_one", media), headers=HTMX).content.decode()
    assert url("restore", media) in toast
    assert f"#tile-{media.pk}" in toast
    tile = client.post(url("restore", media), headers=HTMX).content.decode()
    assert media.get_absolute_url() in tile
    assert f'id="toast-{media.pk}" hx-swap-oob="delete"' in tile
    media.refresh_from_db()
    assert media.deleted is None


def test_without_scripts_the_undo_is_a_message(as_, alice, make_media):
    media, client = make_media(alice), as_(alice)
    response = client.post(url("trash_one", media), {"next": reverse("gallery:trash")}, follow=True)
    assert response.request["PATH_INFO"] == reverse("gallery:trash")
    assert f'action="{url("restore", media)}"' in response.content.decode()


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(as_, alice, make_media, wanted):
    response = as_(alice).post(url("trash_one", make_media(alice)), {"next": wanted})
    assert response.url == reverse("gallery:index")


def test_a_like_is_set_once_and_taken_back(as_, alice, bob, make_media):
    media, client = make_media(bob), as_(alice)
    for _time in range(2):
        page = client.post(url("like", media), {"liked": "1"}, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in page
    assert Like.objects.filter(media=media, user=alice).count() == 1
    page = client.post(url("like", media), {"liked": "0"}, headers=HTMX).content.decode()
    assert 'aria-pressed="false"' in page
    assert not Like.objects.exists()


@pytest.mark.parametrize(
    ("action", "sent"),
    [("like", {}), ("like", {"liked": "yes"}), ("visibility", {}), ("visibility", {"visibility": "world"})],
)
def test_nonsense_is_refused(as_, alice, make_media, action, sent):
    assert as_(alice).post(url(action, make_media(alice)), sent, headers=HTMX).status_code == 400


def test_visibility_changes_and_says_so(as_, alice, make_media):
    media = make_media(alice)
    page = as_(alice).post(url("visibility", media), {"visibility": "published"}, headers=HTMX).content.decode()
    media.refresh_from_db()
    assert media.visibility == "published"
    assert "Saved" in page
