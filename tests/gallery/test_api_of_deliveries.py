"""Bringing and fetching by the API, as a script does."""

import hashlib

import pytest

from gallery import services
from tests.gallery.intake import files

JSON = "application/json"


@pytest.fixture
def client(calls, bob):
    """A script of bob's."""
    return calls(bob)


def test_a_file_in_pieces_until_it_is_a_picture(client, bob, studio):
    data = files.png(parameters=files.A1111)
    said = {"whose": "generated", "team": str(studio.pk), "visibility": "private"}
    upload = client.post("/api/v1/uploads", said, content_type=JSON).json()
    base = f"/api/v1/uploads/{upload['id']}"
    file = client.post(f"{base}/files", {"name": "pear.png", "size": len(data)}, content_type=JSON).json()
    address = f"{base}/files/{file['id']}"
    half = len(data) // 2
    told = client.put(f"{address}?offset=0", data[:half], content_type="application/octet-stream").json()
    assert told["received"] == half
    late = client.put(f"{address}?offset=0", data[:half], content_type="application/octet-stream")
    assert (late.status_code, late.json()["received"]) == (409, half)
    client.put(f"{address}?offset={half}", data[half:], content_type="application/octet-stream")
    sha256 = hashlib.sha256(data).hexdigest()
    assert client.post(f"{address}/finish", {"sha256": sha256}, content_type=JSON).json()["state"] == "queued"
    services.drain_deliveries()
    end = client.get(base).json()["files"][0]
    assert (end["state"], end["notes"]) == ("done", ["Its settings were read (A1111)."])
    assert client.post(f"{base}/undo", {}, content_type=JSON).json()["undone"]


def test_what_is_too_much_or_malformed(client, studio):
    upload = client.post("/api/v1/uploads", {"whose": "own"}, content_type=JSON).json()
    base = f"/api/v1/uploads/{upload['id']}/files"
    assert client.post("/api/v1/uploads", {"whose": "stolen"}, content_type=JSON).status_code == 422
    assert client.post(base, {"name": "a.png", "size": 10**12}, content_type=JSON).status_code == 409
    file = client.post(base, {"name": "a.png", "size": services.PIECE * 2}, content_type=JSON).json()
    large = bytes(services.PIECE + 1)
    response = client.put(f"{base}/{file['id']}?offset=0", large, content_type="application/octet-stream")
    assert response.status_code == 413


def test_an_export_from_the_wish_to_the_file(client, bob, studio, alice, make_media):
    services.set_channel(user=alice, team=studio, name="Tiny", slug="tiny", width=40, height=20)
    team = str(studio.pk)
    assert "tiny" in [one["slug"] for one in client.get(f"/api/v1/channels?team={team}").json()]
    media = [str(make_media(bob).pk) for _n in range(2)]
    wanted = {"media": media, "channels": ["tiny"], "team": team, "focus": {f"{media[0]}:tiny": [0.1, 0.2]}}
    made = client.post("/api/v1/exports", wanted, content_type=JSON).json()
    assert (made["state"], made["file"]) == ("queued", None)
    services.drain_deliveries()
    made = client.get(f"/api/v1/exports/{made['id']}").json()
    assert (made["state"], made["done"]) == ("done", 2)
    assert client.get(made["file"], headers={"Range": "bytes=0-3"}).status_code == 206
    assert [one["id"] for one in client.get("/api/v1/exports").json()] == [made["id"]]
    assert client.delete(f"/api/v1/exports/{made['id']}").status_code == 204
    assert client.get(f"/api/v1/exports/{made['id']}").status_code == 404
    wanted["channels"] = ["nowhere"]
    assert client.post("/api/v1/exports", wanted, content_type=JSON).status_code == 409
