"""A file's address opens for the viewer it was made for, while they may see the picture, and for nobody else."""

import pytest

from gallery import links, services

KINDS = ["original", "tile", "filmstrip"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("person", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 302)]
)
def test_own_address(person, status, kind, request, as_, make_media, alice):
    media = make_media(alice)
    user = request.getfixturevalue(person) if person else None
    response = as_(user).get(links.media_url(media, kind, user or alice))
    assert response.status_code == status
    if status == 200:
        assert response["Content-Type"] == ("image/png" if kind == "original" else "image/webp")
        assert "private" in response["Cache-Control"]


def test_an_address_made_for_another_opens_nothing(as_, make_media, alice, bob):
    assert as_(bob).get(links.media_url(make_media(alice), "original", alice)).status_code == 403


def test_an_address_runs_out(as_, make_media, alice, monkeypatch):
    address = links.media_url(make_media(alice), "tile", alice)
    now = links.time()
    monkeypatch.setattr(links, "time", lambda: now + 3 * links.HOUR)
    assert as_(alice).get(address).status_code == 403


def test_an_address_does_not_change_within_the_hour(make_media, alice, monkeypatch):
    media = make_media(alice)
    monkeypatch.setattr(links, "time", lambda: 7200.0)
    first = links.media_url(media, "tile", alice)
    monkeypatch.setattr(links, "time", lambda: 10799.0)
    assert links.media_url(media, "tile", alice) == first
    assert links.is_valid(media.pk, "tile", alice, 3600 * 4, first.rsplit("/", 1)[1])


@pytest.mark.parametrize("place", [2, 3, 4, 5])
def test_a_changed_address_opens_nothing(place, as_, make_media, alice):
    media, other = make_media(alice), make_media(alice)
    parts = links.media_url(media, "tile", alice).split("/")
    parts[place] = {2: str(other.pk), 3: "original", 4: str(int(parts[4]) + 3600), 5: "x" * len(parts[5])}[place]
    assert as_(alice).get("/".join(parts)).status_code == 403


def test_a_picture_made_private_closes_to_the_team_at_once(as_, make_media, alice, bob):
    media = make_media(alice)
    address = links.media_url(media, "tile", bob)
    assert as_(bob).get(address).status_code == 200
    services.set_visibility(user=alice, media=media, visibility="private")
    assert as_(bob).get(address).status_code == 404


def test_a_kind_that_a_picture_lacks_is_not_found(as_, make_media, alice):
    media = make_media(alice)
    media.renditions.all().delete()
    assert as_(alice).get(links.media_url(media, "filmstrip", alice)).status_code == 404


def test_a_download_has_a_name_that_means_something(as_, make_media, alice):
    address = links.media_url(make_media(alice, prompt="Ein „Apfel“ / rot"), "original", alice)
    response = as_(alice).get(f"{address}?download=1")
    assert response["Content-Disposition"] == 'attachment; filename="ein-apfel-rot-7.png"'
    assert response.content.startswith(b"\x89PNG")


def test_behind_a_proxy_the_proxy_sends_the_file(as_, make_media, alice, bob, settings):
    settings.ACCEL_REDIRECT = "/_media/"
    media = make_media(alice)
    response = as_(alice).get(links.media_url(media, "tile", alice))
    assert response["X-Accel-Redirect"] == f"/_media/renditions/{media.pk.hex[:2]}/{media.pk.hex}.tile.webp"
    assert response["Content-Type"] == "image/webp"
    assert response.content == b""
    assert "X-Accel-Redirect" not in as_(bob).get(links.media_url(media, "tile", alice))
