"""Pictures in the admin: all of them are found, and nothing about them changes but the trash."""

import pytest
from django.test import Client

from accounts.models import User
from gallery.models import Media


@pytest.fixture
def root(client, db) -> Client:
    """An administrator's browser, of somebody in none of the teams."""
    client.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    return client


def _act(root: Client, action: str, media: Media, query: str = ""):
    data = {"action": action, "_selected_action": [str(media.pk)]}
    return root.post(f"/admin/gallery/media/{query}", data, follow=True)


def test_a_picture_goes_into_the_trash_and_out_of_it(root, make_media, alice):
    media = make_media(alice)
    assert b"1 picture changed." in _act(root, "trash", media).content
    assert Media.objects.get().deleted
    assert str(media.pk) not in root.get("/admin/gallery/media/").content.decode()
    assert str(media.pk) in root.get("/admin/gallery/media/?trash=only").content.decode()
    _act(root, "restore", media, "?trash=only")
    assert Media.objects.get().deleted is None


@pytest.mark.parametrize("visibility", Media.Visibility)
def test_every_picture_is_found_and_its_files_open(root, make_media, alice, visibility):
    media = make_media(alice, prompt="a lighthouse at dawn", visibility=visibility)
    page = root.get("/admin/gallery/media/?q=lighthouse")
    (row,) = page.context["cl"].result_list
    assert root.get(row.tile_url)["Content-Type"] == "image/webp"
    page = root.get(f"/admin/gallery/media/{media.pk}/change/")
    assert root.get(page.context["original"].original_url)["Content-Type"] == "image/png"


def test_a_tiles_address_is_the_administrators_alone(root, as_, make_media, alice, charlie):
    make_media(alice)
    (row,) = root.get("/admin/gallery/media/").context["cl"].result_list
    assert as_(charlie).get(row.tile_url).status_code == 403


def test_nothing_is_edited_or_deleted(root, make_media, alice):
    media = make_media(alice)
    assert root.post(f"/admin/gallery/media/{media.pk}/change/", {"visibility": "published"}).status_code == 403
    assert root.post(f"/admin/gallery/media/{media.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/gallery/media/add/").status_code == 403


def test_prompts_are_escaped(root, make_media, alice):
    media = make_media(alice, prompt="<b>bold</b>")
    for path in ("/admin/gallery/media/", f"/admin/gallery/media/{media.pk}/change/"):
        assert "<b>bold" not in root.get(path).content.decode()
