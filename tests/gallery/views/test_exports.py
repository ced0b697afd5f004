"""The pages of exports, and fetching a file in parts."""

import asyncio
import tracemalloc

import pytest
from django.urls import reverse

from gallery import services
from gallery.models import Channel, Export, FocusPoint
from tests.deliveries import make_export


@pytest.fixture(autouse=True)
def _channels(db) -> None:
    services.install_channels()


def _body(response) -> bytes:
    if not response.streaming:
        return response.content

    async def read() -> bytes:
        return b"".join([chunk async for chunk in response.streaming_content])

    return asyncio.run(read())


def _measure(response) -> int:
    """The length of a body that is not kept."""

    async def read() -> int:
        return sum([len(chunk) async for chunk in response.streaming_content])

    return asyncio.run(read())


def test_the_page_shows_each_picture_in_its_order(as_, bob, make_media):
    first, second = make_media(bob, prompt="pear"), make_media(bob, prompt="plum")
    page = as_(bob).get(reverse("gallery:export"), {"media": [second.pk, first.pk]}).content.decode()
    assert page.index(str(second.pk)) < page.index(str(first.pk))
    assert "2 pictures" in page


def test_many_come_by_post_and_albums_by_their_id(as_, bob, studio, make_media):
    media = make_media(bob)
    assert str(media.pk) in as_(bob).post(reverse("gallery:export"), {"media": [media.pk]}).content.decode()
    album = services.create_album(user=bob, team=studio, name="Spring", visibility="team", media=[media.pk])
    assert str(media.pk) in as_(bob).get(reverse("gallery:export"), {"album": album.pk}).content.decode()
    assert as_(bob).get(reverse("gallery:export"), {"album": "x"}).status_code == 404


def test_how_many_queries_the_page_takes_does_not_grow(as_, bob, make_media, django_assert_max_num_queries):
    media = [make_media(bob).pk for _ in range(12)]
    client = as_(bob)
    client.get(reverse("gallery:export"), {"media": media[:1]})
    with django_assert_max_num_queries(24):
        client.get(reverse("gallery:export"), {"media": media})


def test_without_pictures_it_says_how_to_choose_some(as_, bob):
    assert "Choose pictures to export" in as_(bob).get(reverse("gallery:export")).content.decode()


def test_a_wish_that_cannot_be_met_is_told_on_the_page(as_, bob, make_media):
    square = Channel.objects.get(slug="instagram-square")
    data = {"media": make_media(bob).pk, "channel": square.pk, "naming": "{title}", "text": "Sale"}
    response = as_(bob).post(reverse("gallery:start_export"), data)
    assert response.status_code == 422
    assert "too small" in response.content.decode()
    assert 'value="Sale"' in response.content.decode()
    response = as_(bob).post(reverse("gallery:start_export"), {"media": make_media(bob).pk})
    assert "at least one channel" in response.content.decode()


def test_a_point_is_kept_by_those_who_arrange_and_let_be_by_others(as_, bob, victor, make_media):
    data = {"media": make_media(bob).pk, "channel": Channel.objects.get(slug="x-post").pk, "x": "0.25", "y": "0.75"}
    assert as_(victor).post(reverse("gallery:set_focus"), data).status_code == 204
    assert not FocusPoint.objects.exists()
    assert as_(bob).post(reverse("gallery:set_focus"), data).status_code == 204
    assert FocusPoint.objects.get().y == 0.75
    assert as_(bob).post(reverse("gallery:set_focus"), {**data, "x": "7"}).status_code == 400


@pytest.fixture
def export(bob, make_media) -> Export:
    """One of bob's, prepared."""
    return make_export(bob, [make_media(bob)])


def _get(client, export, **headers):
    return client.get(reverse("gallery:export_file", args=[export.pk]), headers=headers)


def test_a_whole_file(as_, bob, export):
    response = _get(as_(bob), export)
    assert (response.status_code, response["Accept-Ranges"]) == (200, "bytes")
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert len(_body(response)) == export.bytes


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=5-999999999", 5, None)],
)
def test_a_part_of_it(as_, bob, export, asked, first, last):
    whole = export.file.open("rb").read()
    response = _get(as_(bob), export, Range=asked)
    wanted = whole[first:] if last is None else whole[first : last + 1]
    assert response.status_code == 206
    assert _body(response) == wanted
    start = first % len(whole)
    assert response["Content-Range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(whole)}"


def test_parts_that_do_not_exist_and_ranges_that_mean_nothing(as_, bob, export):
    response = _get(as_(bob), export, Range="bytes=999999999-")
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{export.bytes}")
    for asked in ("bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=-"):
        assert _get(as_(bob), export, Range=asked).status_code == 200
    assert _get(as_(bob), export, **{"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    assert _get(as_(bob), export, **{"Range": "bytes=0-1", "If-Range": f'"{export.sha256}"'}).status_code == 206


def test_a_large_file_is_never_read_whole(as_, bob, export):
    """It is sent in pieces: 150 MB take a few of memory."""
    with export.file.storage.open(export.file.name, "wb") as stored:
        stored.truncate(150 * 1024 * 1024)
    Export.objects.update(bytes=150 * 1024 * 1024)
    response = _get(as_(bob), export)
    assert response.streaming
    tracemalloc.start()
    total = _measure(response)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 150 * 1024 * 1024
    assert most < 8 * 1024 * 1024


def test_behind_a_proxy_the_proxy_sends_it(as_, bob, export, settings):
    settings.ACCEL_REDIRECT = "/_media/"
    response = _get(as_(bob), export, Range="bytes=0-1")
    assert response["X-Accel-Redirect"] == f"/_media/{export.file.name}"


def test_what_has_run_out_is_gone(as_, bob, export):
    Export.objects.update(expires=export.created)
    assert _get(as_(bob), export).status_code == 404
    assert "No exports" in as_(bob).get(reverse("gallery:exports")).content.decode()
