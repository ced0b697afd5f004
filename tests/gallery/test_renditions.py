"""What browsers choose from: made after the picture, once, whatever happens meanwhile."""

import io
from base64 import b64decode
from io import StringIO

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from kombu.exceptions import OperationalError
from PIL import Image

from gallery import links, renditions, services, tasks
from gallery.models import Media, Rendition, ReviewPolicy
from gallery.services import deriving
from gallery.views.tiles import tiles

Derived = Media.Derived


@pytest.fixture
def make_large(studio):
    """`make_large(user, size)`: a picture that is worth several sizes."""

    def make(user, size=(1200, 800), **facts) -> Media:
        image = Image.linear_gradient("L").resize(size).convert("RGB")
        item = services.NewMedia(image=image, recipe={"prompt": "a hill"}, team=studio, owner=user, **facts)
        return services.add_media(items=[item])[0]

    return make


def _kinds(media: Media) -> set[str]:
    return set(media.renditions.values_list("kind", flat=True))


def _files(settings) -> set[str]:
    return {path.name for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("size", "kinds"),
    [
        ((64, 64), {"tile"}),
        ((256, 100), {"tile"}),
        ((300, 200), {"tile", "webp-256", "avif-256", "avif-512"}),
        ((512, 512), {"tile", "webp-256", "avif-256", "avif-512"}),
        ((1024, 768), {"tile", "webp-256", "webp-1024", "avif-256", "avif-512", "avif-1024"}),
        ((500, 3000), {"tile", *(f"{f}-{n}" for f in ("webp", "avif") for n in (256, 1024, 1600)), "avif-512"}),
    ],
)
def test_a_ladder_has_the_steps_that_are_worth_it(size, kinds):
    steps = {kind: (data, step) for kind, data, step in renditions.ladder(Image.new("RGB", size, "#c22"))}
    assert set(steps) == kinds
    for kind, (data, step) in steps.items():
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == ("AVIF" if kind.startswith("avif") else "WEBP")
            assert image.size == step
            assert max(step) == min(max(size), 512 if kind == "tile" else int(kind[5:]))


def test_what_can_be_seen_through_stays_so_and_has_no_blur_behind_it():
    image = Image.new("RGBA", (600, 600), (200, 30, 30, 0))
    for _kind, data, _size in renditions.ladder(image):
        with Image.open(io.BytesIO(data)) as step:
            assert step.convert("RGBA").getpixel((5, 5))[3] == 0
    assert renditions.blur(image) == ""


def test_the_placeholder_is_tiny_and_there_at_once(make_large, alice):
    blur = make_large(alice).blur
    assert len(blur) < 400
    with Image.open(io.BytesIO(b64decode(blur))) as image:
        assert image.size == (16, 11)


def test_the_tile_is_there_at_once_and_the_rest_follows(make_large, alice, settings):
    media = make_large(alice)
    assert _kinds(media) == {"tile"}
    steps = {f"{kind}-{edge}" for kind in ("webp", "avif") for edge in (256, 1024, 1600)} | {"avif-512"}
    assert services.derive_media(pk=media.pk) == len(steps)
    assert _kinds(media) == {"tile", *steps}
    before = _files(settings)
    assert services.derive_media(pk=media.pk) == 0
    assert _files(settings) == before


def test_the_task_is_sent_when_the_rows_are_there(make_large, alice, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **kwargs: sent.append((name, args)))
    with django_capture_on_commit_callbacks(execute=True):
        media = make_large(alice)
        assert sent == []
    assert sent[0] == ("atelier.derive", [[str(media.pk)]])
    tasks.derive(*sent[0][1])
    media.refresh_from_db()
    assert media.derived == Derived.DONE


def test_without_a_broker_the_picture_is_kept_and_found_later(
    make_large, alice, monkeypatch, django_capture_on_commit_callbacks
):
    def away(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        media = make_large(alice)
    tasks.derive_missing()
    media.refresh_from_db()
    assert media.derived == Derived.DONE


def test_a_storage_that_is_away_is_asked_again_and_leaves_nothing_half_done(make_large, alice, settings, monkeypatch):
    media, before = make_large(alice), _files(settings)
    saved, save = [], Rendition.file.field.attr_class.save

    def fail_at_the_third(self, *args, **kwargs):
        saved.append(self)
        if len(saved) == 3:
            raise OSError("disk full")
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Rendition.file.field.attr_class, "save", fail_at_the_third)
    with pytest.raises(OSError, match="disk full"):
        services.derive_media(pk=media.pk)
    assert _files(settings) == before
    assert _kinds(media) == {"tile"}
    assert services.derive_missing(seconds=60) == 1


def test_of_two_workers_one_writes_the_rows_and_the_other_clears_up(make_large, alice, settings, monkeypatch):
    media, draw = make_large(alice), deriving._draw
    is_second = []

    def overtaken(*args):
        if not is_second:
            is_second.append(True)
            assert services.derive_media(pk=media.pk) > 0
        return draw(*args)

    # The first one has looked what is there before the second began.
    monkeypatch.setattr(deriving, "_draw", overtaken)
    services.derive_media(pk=media.pk)
    named = {rendition.file.name.rpartition("/")[2] for rendition in media.renditions.all()}
    assert _files(settings) == named | {media.file.name.rpartition("/")[2]}


def test_a_picture_that_is_purged_meanwhile_leaves_no_files(make_large, alice, settings, monkeypatch):
    media, keep = make_large(alice), deriving._keep

    def after_the_purge(found, made):
        default_storage.delete(media.file.name)
        for rendition in media.renditions.all():
            default_storage.delete(rendition.file.name)
        Media.objects.filter(pk=media.pk).delete()
        return keep(found, made)

    monkeypatch.setattr(deriving, "_keep", after_the_purge)
    assert services.derive_media(pk=media.pk) == 0
    assert _files(settings) == set()


def test_a_file_that_is_no_picture_is_given_up_until_somebody_asks(make_large, alice):
    media = make_large(alice)
    default_storage.delete(media.file.name)
    default_storage.save(media.file.name, ContentFile(b"\x89PNG\r\n\x1a\nrubbish"))
    assert services.derive_media(pk=media.pk) == 0
    media.refresh_from_db()
    assert media.derived == Derived.FAILED
    assert services.derive_missing(seconds=60) == 0
    with Image.new("RGB", (600, 400)) as image:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
    default_storage.delete(media.file.name)
    default_storage.save(media.file.name, ContentFile(buffer.getvalue()))
    out = StringIO()
    call_command("make_renditions", "--again", stdout=out)
    assert out.getvalue() == "1 pictures\n"
    media.refresh_from_db()
    assert media.derived == Derived.DONE


def test_what_was_made_and_lost_is_made_again(make_large, alice):
    media = make_large(alice)
    services.derive_media(pk=media.pk)
    lost = media.renditions.get(kind="tile")
    default_storage.delete(lost.file.name)
    services.remove_orphans(services.find_orphans(older_than=0))
    assert "tile" not in _kinds(media)
    assert services.derive_missing(seconds=60) == 1
    assert "tile" in _kinds(media)


def test_pages_offer_every_step_with_its_width(make_large, alice):
    media = make_large(alice)
    services.derive_media(pk=media.pk)
    tile = tiles([media], alice)[0]
    assert [part.split()[1] for part in tile.avif.split(", ")] == ["256w", "512w", "1024w", "1200w"]
    assert [part.split()[1] for part in tile.webp.split(", ")] == ["256w", "512w", "1024w", "1200w"]


@pytest.mark.parametrize("kind", ["webp-256", "avif-1024"])
@pytest.mark.parametrize(("person", "status"), [("alice", 200), ("victor", 200), ("charlie", 404)])
def test_who_may_fetch_them(kind, person, status, request, as_, make_large, alice):
    media = make_large(alice)
    services.derive_media(pk=media.pk)
    user = request.getfixturevalue(person)
    response = as_(user).get(links.media_url(media, kind, user))
    assert response.status_code == status
    if status == 200:
        assert response["Content-Type"] == f"image/{kind[:4]}"


def test_large_ones_carry_the_word_where_the_team_marks_drafts(as_, make_large, alice, studio):
    ReviewPolicy.objects.create(team=studio, marks_drafts=True)
    media = make_large(alice)
    services.derive_media(pk=media.pk)
    marked = as_(alice).get(links.media_url(media, "avif-1024", alice))
    assert marked["Content-Type"] == "image/webp"
    with Image.open(io.BytesIO(marked.content)) as image:
        assert image.convert("RGB").getpixel((3, image.height - 3))[0] < 60
    assert as_(alice).get(links.media_url(media, "avif-256", alice))["Content-Type"] == "image/avif"
