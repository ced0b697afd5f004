"""Files that mean harm, or are just strange: the right picture or a clear error, by a process of its own."""

import hashlib
import json
import re
import tracemalloc
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from PIL import Image, ImageCms

from gallery import services
from gallery.intake import apart
from gallery.models import Media, Piece, Upload, UploadedFile
from tests.gallery.intake import files


def _image(file: UploadedFile) -> Image.Image:
    assert file.state == "done", file.reason
    with file.media.file.open("rb") as stored:
        image = Image.open(stored)
        image.load()
        return image


REFUSED = {
    "50,000 x 50,000": ("wide.png", lambda: files.png_bomb(50_000, 50_000), "more pixels"),
    "9,000 x 9,000": ("large.png", lambda: files.png_bomb(9_000, 9_000), "more pixels"),
    "one line": ("line.png", lambda: files.png_bomb(30_000, 1), "more pixels"),
    "a text of 60 MB": ("text.png", files.text_bomb, "picture"),
    "SVG with script": ("logo.svg", lambda: files.SVG, "SVG"),
    "SVG called PNG": ("logo.png", lambda: files.SVG, "SVG"),
    "a web page": ("page.png", lambda: files.HTML, "web page"),
    "a program": ("run.png", lambda: b"MZ" + bytes(5000), "no picture"),
    "truncated PNG": ("cut.png", lambda: files.saved(Image.effect_noise((300, 300), 90))[:9000], "cut off|broken"),
    "truncated JPEG": ("cut.jpg", lambda: files.saved(Image.effect_noise((300, 300), 90), "JPEG")[:9000], "cut off"),
    "truncated WebP": ("cut.webp", lambda: files.saved(files.picture(), "WEBP")[:40], "cut off|broken"),
    "only a beginning": ("head.jpg", lambda: b"\xff\xd8\xff\xe0", "cut off|broken"),
    "HEIC": ("phone.heic", lambda: b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
    "PDF": ("flyer.pdf", lambda: b"%PDF-1.7" + bytes(100), "PDF"),
    "a zip bomb": ("bomb.zip", files.zip_bomb, "enormous"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_with_a_clear_word(bring, what):
    name, make, words = REFUSED[what]
    file = bring(name, make())
    held = list(file.held.all())
    reason = held[0].reason if held else file.reason
    assert (held[0] if held else file).state == "failed"
    assert re.search(words, reason), reason
    assert not Media.objects.exists()
    assert not Piece.objects.exists()


def test_a_gif_of_ten_thousand_frames_is_its_first_one(bring):
    file = bring("moves.gif", files.gif(10_000))
    assert _image(file).convert("RGB").getpixel((3, 3)) == (254, 0, 0) or _image(file).getpixel((3, 3))[0] > 250
    assert "only its first picture" in " ".join(file.notes)


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_other_things_that_move(bring, kind):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    data = files.saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    file = bring(f"moves.{kind.lower()}", data)
    assert _image(file).getpixel((3, 3))[0] > 240
    assert "only its first picture" in " ".join(file.notes)


def test_of_a_polyglot_nothing_survives_but_its_pixels(bring):
    file = bring("holiday.jpg", files.polyglot())
    with file.media.file.open("rb") as stored:
        data = stored.read()
    assert b"<script" not in data
    assert b"alert" not in data
    assert data.startswith(b"\x89PNG")
    assert _image(file).size == (60, 40)


def test_a_wrong_extension_is_said_and_taken(bring):
    file = bring("holiday.png", files.saved(files.picture(), "JPEG"))
    assert _image(file).size == (60, 40)
    assert "another format" in file.notes[0]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(bring, kind):
    file = bring(f"print.{kind.lower()}", files.saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), kind))
    red, green, blue = _image(file).getpixel((20, 20))
    assert red > 200
    assert max(green, blue) < 60
    assert "CMYK" in " ".join(file.notes)


@pytest.mark.parametrize("channels", ["L", "RGB"])
def test_sixteen_bits_become_eight_by_the_right_scale(bring, channels):
    file = bring("deep.png", files.deep(channels))
    image = _image(file)
    for x in (0, 1, 127, 128, 200, 255):
        assert abs(image.getpixel((x, 2))[0] - x) <= 1
    assert "16 to 8" in " ".join(file.notes)


def test_transparency_stays_and_palettes_are_opened(bring):
    file = bring("logo.png", files.saved(Image.new("RGBA", (20, 20), (255, 0, 0, 128))))
    assert _image(file).getpixel((5, 5)) == (255, 0, 0, 128)
    file = bring("flat.png", files.saved(Image.new("RGB", (20, 20), "green").quantize(4)))
    assert _image(file).mode == "RGB"


def test_a_photograph_stands_upright_and_tells_no_place(bring):
    file = bring("IMG_1.jpg", files.with_place())
    assert _image(file).size == (40, 60)
    assert "Turned upright" in " ".join(file.notes)
    assert "metadata" not in file.media.recipe
    with file.media.file.open("rb") as stored:
        assert b"Jane Doe" not in stored.read()


def test_what_is_kept_of_metadata_is_ones_choice(bring):
    recipe = bring("IMG_1.jpg", files.with_place(), metadata="no-place").media.recipe
    assert (recipe["metadata"]["camera"], recipe["metadata"]["copyright"]) == ("Camera 1", "© Jane Doe")
    assert "place" not in recipe["metadata"]
    recipe = bring("IMG_1.jpg", files.with_place(), metadata="keep", keeps_duplicates=True).media.recipe
    assert recipe["metadata"]["place"] == [52.52, -13.4]


def test_a_colour_profile_is_followed(bring):
    lab = files.saved(files.picture(colour=(90, 140, 60)), icc_profile=b"nonsense")
    assert "broken" in " ".join(bring("bad.png", lab).notes)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = bring("good.png", files.saved(files.picture(colour=(90, 140, 60)), icc_profile=srgb))
    assert _image(file).getpixel((1, 1)) == (90, 140, 60)


def test_the_recipe_says_whose_it_is_and_where_its_settings_came_from(bring, bob):
    data = files.png(parameters=files.A1111)
    media = bring("00017.png", data, whose="licensed", rights_note="Photo: Jane Doe, CC BY 4.0").media
    assert (media.way, media.seed, media.steps, media.checkpoint) == ("import", 4294967295, 28, "v1-5-pruned")
    assert media.prompt.startswith("a (red:1.2) pear")
    rights = media.recipe["rights"]
    assert (rights["whose"], rights["note"], rights["stated_by"]) == ("licensed", "Photo: Jane Doe, CC BY 4.0", "Bob")
    assert media.recipe["source"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_settings_in_the_exif_of_a_jpeg(bring):
    media = bring("a.jpg", files.with_comment(files.A1111)).media
    assert (media.seed, media.scheduler) == (4294967295, "dpmpp_2m_karras")


def test_what_the_team_has_already_is_noticed(bring, bob, alice, studio, make_media):
    data = files.saved(files.picture())
    first = bring("a.png", data)
    again = bring("b.png", data)
    assert (again.media, again.is_duplicate) == (first.media, True)
    assert Media.objects.count() == 1
    own = make_media(alice)
    with own.file.open("rb") as stored:
        assert bring("download.png", stored.read()).media == own
    hidden = make_media(alice, visibility="private", prompt="secret")
    with hidden.file.open("rb") as stored:
        assert not bring("mine.png", stored.read()).is_duplicate


# --- Zips -----------------------------------------------------------------------------------------------------------


def test_a_zip_brings_each_picture_and_says_what_was_wrong_with_others(bring):
    data = files.zipped(
        {
            "fruit/pear.png": files.png(parameters=files.A1111),
            "fruit/plum.jpg": files.saved(files.picture(colour="plum"), "JPEG"),
            "fruit/notes.txt": b"hello",
            "__MACOSX/fruit/._pear.png": b"x",
            "fruit/.DS_Store": b"x",
            "../../etc/cron.d/evil.png": files.saved(files.picture(colour="red")),
            "/abs.png": files.saved(files.picture(colour="navy")),
            "inner.zip": files.zipped({"a.png": files.png()}),
        }
    )
    file = bring("fruit.zip", data)
    held = {one.name: one for one in file.held.all()}
    assert (file.state, len(held)) == ("done", 6)
    assert {name for name, one in held.items() if one.state == "done"} == {"fruit/pear.png", "fruit/plum.jpg"}
    assert "no picture" in held["fruit/notes.txt"].reason
    assert "leads out" in held["../../etc/cron.d/evil.png"].reason
    assert "leads out" in held["/abs.png"].reason
    assert "zip within a zip" in held["inner.zip"].reason
    assert Media.objects.count() == 2


def test_links_in_zips_are_not_followed(bring):
    assert "link" in bring("link.zip", files.zip_with_link()).held.get().reason


def test_a_zip_of_too_many_files_and_one_that_is_broken(bring):
    many = files.zipped({f"{n}.png": b"" for n in range(2001)})
    assert "2001 files" in bring("many.zip", many).reason
    assert "broken" in bring("broken.zip", files.zipped({"a.png": files.png()})[:-30]).reason


def test_a_zip_that_a_lost_worker_left_is_gone_on_with(bring, bob, studio):
    data = files.zipped({"a.png": files.png(), "b.png": files.saved(files.picture(colour="red"))})
    file = bring("two.zip", data)
    first = file.held.get(name="a.png").media
    UploadedFile.objects.filter(archive=file, name="b.png").update(state="running", media=None)
    Media.objects.exclude(pk=first.pk).delete()
    upload = file.upload
    again = services.add_file(user=bob, upload=upload, name="two.zip", size=len(data))
    services.add_piece(user=bob, file=again, offset=0, data=data)
    UploadedFile.objects.filter(archive=file).update(archive=again, seen=timezone.now() - timedelta(hours=1))
    services.finish_file(user=bob, file=again)
    services.drain_deliveries()
    assert {one.name: one.state for one in again.held.all()} == {"a.png": "done", "b.png": "done"}
    assert Media.objects.count() == 2


# --- Memory ---------------------------------------------------------------------------------------------------------


def test_the_process_that_decodes_is_bounded_and_this_one_too(tmp_path):
    """A bomb is refused by its head: that process stays under 150 MB, this one takes next to nothing."""
    path = tmp_path / "bomb.png"
    path.write_bytes(files.png_bomb(50_000, 50_000))
    tracemalloc.start()
    with pytest.raises(apart.Unfit, match="too-many-pixels"):
        apart.read_apart(path, "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    path.write_bytes(files.saved(files.picture(size=(4000, 3000)), "JPEG"))
    found = apart.read_apart(path, "photo.jpg")
    assert found.image.size == (4000, 3000)
    assert found.peak_kb < 400_000


def test_one_that_wants_more_memory_than_it_gets_ends_alone(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(files.saved(files.picture(size=(6000, 6000))))
    with pytest.raises(apart.Unfit, match=r"crash|memory|too-many-pixels|broken"):
        apart.read_apart(path, "photo.png", memory=220 * 1024**2)


# --- Arriving -------------------------------------------------------------------------------------------------------


def test_the_web_process_decodes_nothing(bob, studio, monkeypatch):
    def forbidden(*_args, **_options):
        raise AssertionError("opened in the web process")

    monkeypatch.setattr(Image, "open", forbidden)
    upload = services.begin_upload(user=bob, team=studio, whose="own")
    data = files.png_bomb(50_000, 50_000)
    file = services.add_file(user=bob, upload=upload, name="bomb.png", size=len(data))
    services.add_piece(user=bob, file=file, offset=0, data=data)
    assert services.finish_file(user=bob, file=file).state == "queued"


def test_pieces_go_on_where_they_broke_off(bob, studio):
    data = files.saved(files.picture())
    upload = services.begin_upload(user=bob, team=studio, whose="own")
    file = services.add_file(user=bob, upload=upload, name="a.png", size=len(data))
    services.add_piece(user=bob, file=file, offset=0, data=data[:50])
    same = services.add_file(user=bob, upload=upload, name="a.png", size=len(data))
    assert (same.pk, same.received) == (file.pk, 50)
    with pytest.raises(services.OutOfStep) as step:
        services.add_piece(user=bob, file=same, offset=0, data=data[:50])
    assert step.value.received == 50
    with pytest.raises(services.OutOfStep):
        services.finish_file(user=bob, file=same)
    with pytest.raises(services.Refused, match="more bytes"):
        services.add_piece(user=bob, file=same, offset=50, data=data + b"x")
    services.add_piece(user=bob, file=same, offset=50, data=data[50:])
    services.finish_file(user=bob, file=same, sha256="0" * 64)
    services.drain_deliveries()
    same.refresh_from_db()
    assert "damaged" in same.reason


def test_limits_of_a_file_and_of_a_day(bob, studio, settings, monkeypatch):
    upload = services.begin_upload(user=bob, team=studio, whose="own")
    with pytest.raises(services.Refused, match="larger than 200 MB"):
        services.add_file(user=bob, upload=upload, name="a.png", size=201 * services.MB)
    services.add_file(user=bob, upload=upload, name="a.zip", size=201 * services.MB)
    settings.IMPORT_TEAM_GB_PER_DAY = 0
    with pytest.raises(services.Refused, match="team may bring"):
        services.add_file(user=bob, upload=upload, name="b.png", size=5)


def test_only_those_who_make_pictures_bring_some_and_nobody_into_anothers(bob, alice, victor, charlie, studio):
    for person in (victor, charlie):
        with pytest.raises(PermissionDenied):
            services.begin_upload(user=person, team=studio, whose="own")
    upload = services.begin_upload(user=bob, team=studio, whose="own")
    with pytest.raises(PermissionDenied):
        services.add_file(user=alice, upload=upload, name="a.png", size=5)
    with pytest.raises(PermissionDenied):
        services.undo_upload(user=alice, upload=upload)


def test_undo_takes_back_what_came_and_stops_the_rest(bring, bob, make_media):
    known = make_media(bob)
    file = bring("a.png", files.png(parameters=files.A1111))
    waiting = services.add_file(user=bob, upload=file.upload, name="b.png", size=5)
    services.add_piece(user=bob, file=waiting, offset=0, data=b"xx")
    assert services.undo_upload(user=bob, upload=file.upload) == 1
    assert list(Media.objects.kept()) == [known]
    assert not Piece.objects.exists()
    assert UploadedFile.objects.get(pk=waiting.pk).state == "failed"
    with pytest.raises(services.Refused, match="taken back"):
        services.add_file(user=bob, upload=Upload.objects.get(), name="c.png", size=5)


def test_what_never_arrived_is_cleared_away(bob, studio):
    upload = services.begin_upload(user=bob, team=studio, whose="own")
    file = services.add_file(user=bob, upload=upload, name="a.png", size=50)
    services.add_piece(user=bob, file=file, offset=0, data=b"x")
    assert services.purge_uploads() == 0
    UploadedFile.objects.update(queued=timezone.now() - timedelta(days=2))
    assert services.purge_uploads() == 1
    assert not Piece.objects.exists()
    assert services.find_orphans(older_than=-5).files == []


def test_the_recipe_is_json_for_every_database(bring):
    hostile = json.dumps({"prompt": "a\x00b", "seed": 1, "guidance": 1e308 * 10})
    assert bring("x.png", files.png(atelier=hostile)).media.prompt == "ab"
