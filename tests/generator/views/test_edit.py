"""The Edit page: what it asks for, in whose team, and what it never takes from anybody."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image, ImageDraw

from gallery.models import Media
from gallery.services import NewMedia, add_media
from generator import queue, runner
from generator.models import Adapter, Generation, Job
from generator.progress import Progress
from tests.edits import WHOLE, mask

JSON = {"Accept": "application/json"}
PART = {"way": "inpaint", "prompt": "a leaf", "checkpoint": "starter", "feather": "4"}


@pytest.fixture
def send(as_, checkpoint):
    """`send(user, media, **values)`: asks for an edit as the page's script does."""

    def post(user, media: Media, **values):
        return as_(user).post(reverse("generator:make_edit", args=[media.pk]), values, headers=JSON)

    return post


def test_the_page_begins_with_what_made_the_picture(as_, bob, make_media, checkpoint):
    media = make_media(bob, prompt="a red apple", negative_prompt="worms")
    page = as_(bob).get(reverse("generator:edit", args=[media.pk]) + "?way=outpaint")
    assert page.context["way"] == "outpaint"
    assert "a red apple</textarea>" in page.content.decode()
    assert 'value="worms"' in page.content.decode()


def test_a_part_is_asked_for_with_its_mask(send, bob, make_media):
    media = make_media(bob)
    answer = send(bob, media, **PART, mask=mask())
    assert answer.status_code == 201
    asked = Generation.objects.get()
    assert str(asked.pk) == answer.json()["job"]
    assert (asked.way, asked.source, asked.feather, asked.count) == ("inpaint", media, 4, 1)
    assert asked.mask


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (PART, "Paint over"),
        ({**PART, "mask": mask(box=(0, 0, 0, 0))}, "empty"),
        ({**PART, "mask": mask(size=(32, 32))}, "one size"),
        ({**PART, "mask": SimpleUploadedFile("mask.png", b"GIF89a", "image/png")}, "no PNG"),
        ({**WHOLE, "prompt": ""}, "Write what"),
        ({**WHOLE, "strength": "7"}, "less than or equal"),
        ({**WHOLE, "way": "steal"}, "not one of the available choices"),
        ({**WHOLE, "way": "outpaint"}, "at one side at least"),
        ({**WHOLE, "way": "outpaint", "left": "4000", "right": "4000"}, "at most"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_started(send, bob, make_media, values, word):
    if "mask" in values:
        values["mask"].seek(0)
    answer = send(bob, make_media(bob), **values)
    assert answer.status_code == 422
    assert word in " ".join(text for texts in answer.json()["errors"].values() for text in texts)
    assert not Job.objects.exists()


def test_a_mask_beyond_the_limit_is_not_even_read(send, bob, make_media, monkeypatch):
    monkeypatch.setattr("generator.edit_forms.MOST_MASK_BYTES", 10)
    answer = send(bob, make_media(bob), **PART, mask=mask())
    assert answer.json()["errors"]["mask"] == ["The mask is too large."]


def test_extending_asks_for_margins(send, bob, make_media):
    assert send(bob, make_media(bob), **{**WHOLE, "way": "outpaint", "left": "32"}).status_code == 201
    asked = Generation.objects.get()
    assert asked.extend["left"] == 32
    assert (asked.width, asked.height) == (96, 64)


def test_near_and_far_variations(send, bob, make_media):
    media = make_media(bob)
    for distance in ("near", "far"):
        assert send(bob, media, way="vary", distance=distance, checkpoint="starter").status_code == 201
    far, near = Generation.objects.order_by("-job__created")
    assert (near.variation_amount, near.seed, near.count) == (0.25, 7, 4)
    assert (far.variation_amount, far.strength) == (None, 0.8)


def test_what_only_one_person_sees_leads_to_what_only_they_see(send, bob, make_media):
    send(bob, make_media(bob, visibility="private"), **WHOLE)
    assert Job.objects.get().visibility == "private"


def test_nobody_elses_private_picture_nor_another_teams(send, as_, bob, alice, charlie, make_media):
    hidden, shared = make_media(bob, visibility="private"), make_media(bob)
    assert send(alice, hidden, **WHOLE).status_code == 404
    assert send(charlie, shared, **WHOLE).status_code == 404
    assert as_(charlie).get(reverse("generator:edit", args=[shared.pk])).status_code == 404
    assert not Job.objects.exists()


def test_a_picture_in_the_trash_is_no_start(send, bob, make_media):
    media = make_media(bob)
    as_trash = {"deleted": media.created}
    Media.objects.filter(pk=media.pk).update(**as_trash)
    assert send(bob, media, **WHOLE).status_code == 404


def test_a_result_belongs_to_its_own_picture(as_, bob, make_media, make_job):
    media, other = make_media(bob), make_media(bob)
    job = make_job(bob, way="image", source=media)
    found = as_(bob).get(reverse("generator:edit_result", args=[media.pk, job.pk]))
    assert found.status_code == 204  # at work
    assert as_(bob).get(reverse("generator:edit_result", args=[other.pk, job.pk])).status_code == 404


def test_without_scripts_a_refusal_is_a_page(as_, bob, make_media, checkpoint):
    address = reverse("generator:make_edit", args=[make_media(bob).pk])
    response = as_(bob).post(address, {**WHOLE, "prompt": ""})
    assert response.status_code == 422
    assert "Write what the picture should show." in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_stands_in_front_is_cut_out_and_saved_with_transparency(as_, send, alice, studio):
    picture = Image.new("RGB", (96, 64), "#aaebc8")
    ImageDraw.Draw(picture).ellipse((28, 12, 68, 52), fill="#c82828")
    facts = {"prompt": "a red ball", "format": "square"}
    [source] = add_media(items=[NewMedia(image=picture, recipe=facts, team=studio, owner=alice)])
    page = as_(alice).get(reverse("generator:edit", args=[source.pk]) + "?way=cutout")
    assert page.context["way"] == "cutout"
    assert 'value="cutout" checked' in page.content.decode()
    asked = send(alice, source, way="cutout", checkpoint="starter").json()
    runner.run(Progress(queue.claim(worker="test")))

    made = Media.objects.get(job=asked["job"])
    assert (made.way, made.made_from) == ("cutout", source)
    with Image.open(made.file) as saved:
        assert (saved.format, saved.mode, saved.size) == ("PNG", "RGBA", picture.size)
        clear = saved.getchannel("A")
        assert clear.getpixel((2, 2)) == 0
        assert clear.getpixel((48, 32)) > 200
    compared = as_(alice).get(asked["result"]).content.decode()
    assert f"/edit/{made.pk}/?way=scene" in compared

    # From here it goes into a scene, on the page of the picture and of the cutout alike.
    scene = {"way": "scene", "prompt": "on a beach", "checkpoint": "starter", "format": "story", "x": "0.4"}
    for page in (source, made):
        answer = send(alice, page, **scene)
        assert answer.status_code == 201
        placed = Generation.objects.get(pk=answer.json()["job"])
        assert (placed.way, placed.source, placed.strength, placed.format) == ("inpaint", made, 1.0, "story")
        assert placed.spot["left"] + placed.spot["width"] / 2 == pytest.approx(placed.width * 0.4, abs=1)
        assert str(made.pk) in answer.json()["result"]


def test_a_scene_needs_what_stands_free(send, bob, make_media):
    answer = send(bob, make_media(bob), way="scene", prompt="on a beach", checkpoint="starter")
    assert answer.json()["errors"] == {"way": ["Remove the background of the picture first."]}
    assert not Job.objects.exists()


@pytest.fixture
def look(checkpoint) -> Adapter:
    """An IP-Adapter for the starter."""
    facts = {"family": checkpoint.family, "source": "/nowhere", "licence_name": "MIT", "commercial_use": "yes"}
    return Adapter.objects.create(slug="look", name="Look", kind="ip-adapter", **facts)


GARMENT = {"way": "garment", "prompt": "a woman in a red coat", "checkpoint": "starter"}


def test_a_garment_is_tried_on_where_it_was_painted(send, bob, make_media, look):
    person, coat = make_media(bob), make_media(bob)
    assert send(bob, person, **GARMENT, garment=str(coat.pk), mask=mask()).status_code == 201
    asked = Generation.objects.get()
    assert (asked.way, asked.source, asked.reference, asked.reference_scale) == ("inpaint", person, coat, 0.8)
    assert (asked.strength, asked.made_from, bool(asked.mask)) == (1.0, person.pk, True)
    assert [one["slug"] for one in asked.adapters] == ["look"]
    assert asked.job.visibility == Media.Visibility.TEAM


def test_what_a_private_garment_is_seen_in_stays_private(send, bob, make_media, look):
    coat = make_media(bob, visibility="private")
    send(bob, make_media(bob), **GARMENT, garment=str(coat.pk), mask=mask())
    assert Generation.objects.get().job.visibility == Media.Visibility.PRIVATE


@pytest.mark.parametrize(
    ("missing", "word"), [("garment", "Choose the picture of the garment"), ("mask", "Paint over")]
)
def test_a_garment_needs_its_picture_and_a_place(send, bob, make_media, look, missing, word):
    values = {**GARMENT, "garment": str(make_media(bob).pk), "mask": mask()}
    del values[missing]
    answer = send(bob, make_media(bob), **values)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [missing])
    assert word in answer.json()["errors"][missing][0]


def test_nobody_tries_on_what_they_do_not_see(send, alice, bob, make_media, look):
    coat = make_media(alice, visibility="private")
    answer = send(bob, make_media(bob), **GARMENT, garment=str(coat.pk), mask=mask())
    assert answer.json()["errors"]["garment"] == ["This picture cannot be gone by. Choose another one."]
    assert not Job.objects.exists()


def test_without_an_adapter_the_page_says_what_is_missing_and_nothing_is_made(as_, send, bob, make_media, checkpoint):
    person = make_media(bob)
    page = as_(bob).get(reverse("generator:edit", args=[person.pk]) + "?way=garment")
    assert "No model here can take a garment over from a picture yet." in page.content.decode()
    answer = send(bob, person, **GARMENT, garment=str(person.pk), mask=mask())
    assert "there is no IP-Adapter here" in answer.json()["errors"]["__all__"][0]
