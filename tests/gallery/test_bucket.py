"""Pictures in a bucket of an S3-compatible store, a real server on this machine: kept, served, removed."""

import asyncio
import contextlib
import io
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from PIL import Image

from config.media_url import MediaUrlError, origin, storage
from gallery import links, services
from gallery.services import orphans
from tests.installation import free_port


@pytest.fixture(scope="module")
def store():
    """The address of a store with a bucket "studio"."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store, settings, monkeypatch):
    """An empty bucket that pictures are kept in, below "media"."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = boto3.resource("s3", endpoint_url=store, region_name="eu-central-1").Bucket("studio")
    with contextlib.suppress(found.meta.client.exceptions.BucketAlreadyOwnedByYou):  # a slow answer is asked for twice
        found.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    _use(settings, f"s3://studio/media?endpoint_url={store}&region=eu-central-1")
    yield found
    found.objects.delete()
    found.delete()


def _use(settings, url: str) -> None:
    entry = storage(url)
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    settings.MEDIA_REDIRECT = bool(origin(entry))


def _names(bucket) -> set[str]:
    return {found.key for found in bucket.objects.all()}


def test_all_files_of_a_picture_are_in_the_bucket(bucket, make_media, alice):
    media = make_media(alice)
    start = f"media/originals/{media.pk.hex[:2]}/{media.pk.hex}"
    assert {f"{start}.png", start.replace("originals", "renditions") + ".tile.webp"} < _names(bucket)
    assert len(_names(bucket)) == 3
    assert bucket.Object(f"{start}.png").content_type == "image/png"


def test_it_is_served_to_whom_its_address_was_signed_for(bucket, as_, make_media, alice, bob):
    media = make_media(alice)
    response = as_(bob).get(links.media_url(media, "original", bob))
    assert response["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(response.content)).size == (64, 64)
    assert as_(bob).get(links.media_url(media, "original", alice)).status_code == 403


def test_a_long_file_is_sent_in_pieces(bucket, as_, make_media, alice):
    media = make_media(alice)
    data = bytes(range(256)) * 4096
    media.file.storage.save(media.file.name, ContentFile(data))
    response = as_(alice).get(links.media_url(media, "original", alice))
    assert response.streaming
    assert response["Content-Length"] == str(len(data))

    async def collect() -> bytes:
        return b"".join([piece async for piece in response])

    assert asyncio.run(collect()) == data


def test_browsers_can_be_sent_to_the_store(bucket, store, settings, as_, make_media, alice, bob):
    media = make_media(alice, prompt="Ein Apfel")
    _use(settings, f"s3://studio/media?endpoint_url=http://internal:1&region=eu-central-1&redirect={store}")
    address = links.media_url(media, "original", alice)
    assert as_(bob).get(address).status_code == 403
    response = as_(alice).get(f"{address}?download=1")
    assert response.status_code == 302
    assert response["Location"].startswith(f"{store}/studio/media/originals/")
    assert response["Cache-Control"] == "private, max-age=150"
    with urllib.request.urlopen(response["Location"]) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="ein-apfel-7.png"'
        assert answer.read().startswith(b"\x89PNG")


def test_a_file_that_is_gone_is_not_found(bucket, as_, make_media, alice):
    media = make_media(alice)
    bucket.objects.delete()
    assert as_(alice).get(links.media_url(media, "tile", alice)).status_code == 404


def test_what_is_purged_leaves_the_bucket(bucket, make_media, alice, settings, django_capture_on_commit_callbacks):
    services.trash_media(user=alice, media=make_media(alice))
    settings.TRASH_RETENTION_DAYS = -1
    with django_capture_on_commit_callbacks(execute=True):
        assert services.purge_trash() == 1
    assert _names(bucket) == set()


def test_orphans_in_the_bucket_are_found(bucket, make_media, alice):
    lost, whole = make_media(alice), make_media(alice)
    storages["default"].delete(lost.file.name)
    stray = whole.file.name.replace(whole.pk.hex[2:], "0" * 30)
    storages["default"].save(stray, ContentFile(b"nobody's"))
    found = orphans.find_orphans(older_than=-1)
    assert (found.files, found.media, found.renditions) == ([stray], [lost], [])
    with pytest.raises(FileNotFoundError):
        storages["default"].get_modified_time("originals/none.png")


def test_a_store_that_does_not_answer_is_an_error_like_a_full_disk(bucket, settings, make_media, alice):
    _use(settings, "s3://studio?endpoint_url=http://127.0.0.1:1")
    with pytest.raises(OSError, match="the store could not do it"):
        make_media(alice)


def test_threads_share_one_connection(bucket):
    kept = storages["default"]
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda n: kept.save(f"many/{n}.png", ContentFile(b"x")), range(20)))
        assert list(pool.map(kept.exists, names)) == [True] * 20
        assert len(set(pool.map(lambda n: id(kept.connection), range(4)))) == 1


def test_without_an_address_files_are_in_the_folder():
    assert storage(None) == django_settings.STORAGES["default"] == {"BACKEND": "gallery.storage.DurableStorage"}


def test_keys_come_from_files_too(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(tmp_path / "key"))
    assert storage("s3://studio")["OPTIONS"]["secret_key"] == "from-a-file"


@pytest.mark.parametrize("url", ["studio/media", "s3:///media", "https://studio/media", "s3://studio?colour=red"])
def test_what_is_no_bucket_is_named(url):
    with pytest.raises(MediaUrlError):
        storage(url)


def test_only_the_stores_own_origin_is_added_to_the_policy():
    assert origin(storage("s3://studio?redirect=https://media.example.com/files")) == "https://media.example.com"
    assert origin(storage("s3://studio")) is None
