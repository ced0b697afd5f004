"""From the wish to the zip: what is in it, who may, what is left out, what a lost worker leaves."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from PIL import Image

from gallery import services
from gallery.export.spec import Wishes
from gallery.models import Channel, Export, Media
from gallery.models.errand import LEASE
from gallery.services import delivery
from tests.deliveries import make_export

TINY = {"name": "Tiny", "slug": "tiny", "width": 40, "height": 20, "format": "jpeg"}


@pytest.fixture
def tiny(studio, alice) -> Channel:
    """A channel that the tests' small pictures are large enough for."""
    return services.set_channel(user=alice, team=studio, **TINY)


def _wishes(media, *channels, **more) -> Wishes:
    return Wishes(media=tuple(str(one.pk) for one in media), channels=tuple(one.pk for one in channels), **more)


def _prepared(user, studio, wishes) -> Export:
    export = services.create_export(user=user, team=studio, wishes=wishes)
    services.drain_deliveries()
    export.refresh_from_db()
    return export


def _zip(export: Export) -> zipfile.ZipFile:
    with export.file.open("rb") as stored:
        return zipfile.ZipFile(io.BytesIO(stored.read()))


def test_a_zip_holds_every_crop_and_says_where_it_came_from(studio, bob, make_media, tiny):
    services.install_channels()
    whole = Channel.objects.get(slug="whole")
    media = [make_media(bob, prompt=f"pear {n}", licence="Apache-2.0") for n in range(2)]
    export = _prepared(bob, studio, _wishes(media, tiny, whole))
    assert (export.state, export.done, export.total) == ("done", 4, 4)
    with _zip(export) as archive:
        names = archive.namelist()
        assert names[:2] == ["pear-0-whole-01.png", "pear-0-tiny-02.jpg"]
        assert {entry.compress_type for entry in archive.infolist() if entry.filename.endswith("g")} == {
            zipfile.ZIP_STORED
        }
        told = json.loads(archive.read("manifest.json"))
        table = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
        for entry in told["files"]:
            assert hashlib.sha256(archive.read(entry["file"])).hexdigest() == entry["sha256"]
        with Image.open(archive.open("pear-0-tiny-02.jpg")) as image:
            assert image.size == (40, 20)
    assert told["files"][0]["recipe"]["prompt"] == "pear 0"
    assert told["files"][0]["licence"] == table[0]["licence"] == "Apache-2.0"
    assert [row["file"] for row in table] == names[:4]
    assert export.sha256 == hashlib.sha256(export.file.open("rb").read()).hexdigest()


def test_a_single_file_comes_without_a_zip(studio, bob, make_media, tiny):
    export = _prepared(bob, studio, _wishes([make_media(bob)], tiny, format="webp"))
    assert export.file.name.endswith(".webp")
    assert export.wishes["file_name"] == "a-red-apple-tiny-01.webp"


def test_the_focus_of_the_picture_and_channel_is_kept(studio, bob, tiny):
    image = Image.new("RGB", (80, 80), "red")
    image.paste("blue", (0, 60, 80, 80))
    media = services.add_media(items=[services.NewMedia(image=image, recipe={"prompt": "x"}, team=studio, owner=bob)])
    services.set_focus(user=bob, media=media[0], channel=tiny, x=0.5, y=1.0)
    export = _prepared(bob, studio, _wishes(media, tiny, format="png"))
    with Image.open(export.file.open("rb")) as made:
        assert made.getpixel((20, 15)) == (0, 0, 255)
        assert made.getpixel((20, 2)) == (255, 0, 0)


def test_only_approved_pictures_go_without_the_mark(studio, alice, bob, make_media, tiny):
    services.set_policy(user=alice, team=studio, marks_drafts=True)
    draft, good = make_media(bob, prompt="draft"), make_media(bob, prompt="good")
    Media.objects.filter(pk=good.pk).update(review_state="approved")
    export = _prepared(bob, studio, _wishes([draft, good], tiny, format="png"))
    with _zip(export) as archive:
        told = {entry["prompt"]: entry for entry in json.loads(archive.read("manifest.json"))["files"]}
        feet = {name: Image.open(archive.open(entry["file"])).getpixel((1, 19)) for name, entry in told.items()}
    assert told["draft"]["is_draft"]
    assert not told["good"]["is_draft"]
    assert feet["draft"] != feet["good"] == (204, 34, 34)


def test_too_small_is_left_out_or_enlarged_as_was_wished(studio, bob, make_media, tiny):
    services.install_channels()
    square = Channel.objects.get(slug="instagram-square")
    media = make_media(bob)
    export = _prepared(bob, studio, _wishes([media], tiny, square))
    assert export.state == "done"
    assert "too small for Instagram square" in export.notes[0]
    with pytest.raises(services.Refused, match="too small"):
        services.create_export(user=bob, team=studio, wishes=_wishes([media], square))
    export = _prepared(bob, studio, _wishes([media], square, enlarge=True))
    with Image.open(export.file.open("rb")) as made:
        assert made.size == (1080, 1080)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"naming": "{colour}"}, "means nothing"),
        ({"format": "bmp"}, "formats"),
        ({"quality": 0}, "1 to 100"),
        ({"media": ()}, "at least one picture"),
        ({"channels": ()}, "at least one channel"),
    ],
)
def test_what_nobody_could_prepare_is_refused(studio, bob, make_media, tiny, changes, words):
    wishes = {"media": (str(make_media(bob).pk),), "channels": (tiny.pk,), **changes}
    with pytest.raises(services.Refused, match=words):
        services.create_export(user=bob, team=studio, wishes=Wishes(**wishes))


def test_nobody_exports_what_they_do_not_see(studio, alice, bob, charlie, make_media, tiny):
    hidden = make_media(bob, visibility="private")
    with pytest.raises(services.Refused, match="at least one picture"):
        services.create_export(user=alice, team=studio, wishes=_wishes([hidden], tiny))
    with pytest.raises(PermissionDenied):
        services.create_export(user=charlie, team=studio, wishes=_wishes([make_media(bob)], tiny))


def test_what_is_hidden_before_the_worker_comes_is_left_out(studio, alice, bob, make_media, tiny):
    media = [make_media(bob), make_media(bob)]
    export = services.create_export(user=alice, team=studio, wishes=_wishes(media, tiny))
    services.set_visibility(user=bob, media=media[0], visibility="private")
    services.drain_deliveries()
    export.refresh_from_db()
    with _zip(export) as archive:
        assert len(json.loads(archive.read("manifest.json"))["files"]) == 1
    assert "left out" in export.notes[0]


def test_a_deleted_export_takes_its_file_along(bob, make_media):
    export = make_export(bob, [make_media(bob)])
    storage, name = export.file.storage, export.file.name
    services.delete_export(user=bob, export=export)
    assert not storage.exists(name)


def test_one_that_is_deleted_while_it_is_prepared_ends(studio, bob, make_media, tiny, monkeypatch):
    media = [make_media(bob), make_media(bob)]
    export = services.create_export(user=bob, team=studio, wishes=_wishes(media, tiny))
    claimed = Export.objects.all().claim()
    services.delete_export(user=bob, export=export)
    from gallery.services import exporting

    exporting.prepare(claimed)
    assert not Export.objects.exists()


def test_what_a_lost_worker_left_is_taken_up_and_given_up_in_the_end(studio, bob, make_media, tiny):
    export = services.create_export(user=bob, team=studio, wishes=_wishes([make_media(bob)], tiny))
    first = Export.objects.all().claim()
    assert Export.objects.all().claim() is None
    Export.objects.update(seen=timezone.now() - LEASE * 2)
    second = Export.objects.all().claim()
    assert second.lease != first.lease
    assert not first.hold(done=1)
    Export.objects.update(seen=timezone.now() - LEASE * 2, attempts=4)
    services.drain_deliveries()
    export.refresh_from_db()
    assert export.state == "failed"
    assert export.reason


def test_what_has_run_out_goes_with_its_file(bob, make_media):
    export = make_export(bob, [make_media(bob)])
    Export.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert services.purge_exports() == 1
    assert not export.file.storage.exists(export.file.name)


def test_a_file_without_its_export_is_an_orphan(bob, make_media):
    export = make_export(bob, [make_media(bob)])
    name = export.file.name
    assert services.find_orphans(older_than=-5).files == []
    Export.objects.all().delete()
    assert services.find_orphans(older_than=-5).files == [name]


def test_pages_hear_how_far_it_is(studio, bob, make_media, tiny, monkeypatch):
    from gallery.services import exporting

    told = []
    monkeypatch.setattr(exporting, "publish", lambda groups, event: told.append((groups, event)))
    _prepared(bob, studio, _wishes([make_media(bob)], tiny))
    assert told[-1] == (
        [f"user.{bob.pk}"],
        {**told[-1][1], "type": "export.changed", "state": "done", "done": 1, "total": 1},
    )


def test_a_process_does_one_errand_at_a_time(studio, bob, make_media, tiny):
    services.create_export(user=bob, team=studio, wishes=_wishes([make_media(bob)], tiny))
    with delivery._busy:
        assert services.drain_deliveries() == 0
    assert services.drain_deliveries() == 1


def test_a_worker_says_what_crops_weigh(studio, bob, make_media, tiny, monkeypatch):
    from gallery.services import weighing

    told = []
    monkeypatch.setattr(weighing, "publish", lambda groups, event: told.append(event))
    media = make_media(bob)
    wishes = _wishes([media], tiny, format="jpeg", quality=80)
    token = services.ask_weights(user=bob, team=studio, wishes=wishes)
    weights = services.weigh(token)
    made = _prepared(bob, studio, wishes)
    assert weights == {f"{media.pk}:{tiny.pk}": made.bytes}
    assert told[0] == {"type": "export.weighed", "token": token, "weights": weights}
    assert services.weigh(token) == {}
