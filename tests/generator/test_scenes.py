"""A thing in a scene: where it is laid, that it stays as it is, and what is refused."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gallery.models import Media
from gallery.services import NewMedia, add_media
from gallery.views.lineage import compare
from generator import queue, runner, services
from generator.models import Generation
from generator.progress import Progress
from generator.services import Placement, Refused, scenes


def _ball() -> Image.Image:
    image = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(image).ellipse((8, 8, 55, 55), fill=(200, 40, 40, 255))
    return image


@pytest.fixture
def cutout(studio, alice) -> Media:
    """A ball without a background."""
    facts = {"prompt": "a red ball", "format": "source", "way": "cutout"}
    return add_media(items=[NewMedia(image=_ball(), recipe=facts, team=studio, owner=alice)])[0]


@pytest.fixture
def ask(alice, studio, checkpoint, cutout):
    """Asks for a scene around the ball, as alice."""

    def ask(**settings):
        wanted = {"source": cutout, "prompt": "a red apple on a navy blue background", "steps": 2, "seed": 3}
        wanted |= {"placement": Placement(), "strength": 1.0, "format": "landscape", "way": "inpaint"}
        return services.create_generation(user=alice, team=studio, checkpoint=checkpoint, **wanted | settings)

    return ask


def test_it_lies_where_it_was_put_and_as_large(cutout):
    canvas = (160, 80)
    assert scenes.spot_of(cutout, canvas, Placement(x=0.5, y=0.5, scale=1)) == {
        "left": 40,
        "top": 0,
        "width": 80,
        "height": 80,
    }
    over = scenes.spot_of(cutout, canvas, Placement(x=0, y=1, scale=0.5))
    assert over == {"left": -20, "top": 60, "width": 40, "height": 40}  # the edges cut off what lies beyond


def test_the_mask_is_all_but_the_thing():
    spot = scenes.Spot(left=48, top=8, width=64, height=64)
    whole, around = scenes.lay(_ball(), (160, 80), spot)
    assert (whole.size, around.size) == ((160, 80), (160, 80))
    assert whole.getpixel((80, 40)) == (200, 40, 40)
    assert (around.getpixel((80, 40)), around.getpixel((50, 10)), around.getpixel((2, 2))) == (0, 255, 255)
    assert np.asarray(around).mean() < 255


def test_only_what_stands_free_can_be_placed(ask, make_media, alice):
    with pytest.raises(Refused, match="Remove the background"):
        ask(source=make_media(alice))
    with pytest.raises(Refused, match="Paint over"):
        ask(placement=None)
    assert not Generation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_around_it_all_is_made_anew_and_it_stays_as_it_is(ask, cutout, alice, checkpoint):
    job = ask()
    asked = job.generation
    width, height = asked.width, asked.height
    assert width > height
    assert asked.work_pixels >= width * height  # the whole canvas is paid for
    runner.run(Progress(queue.claim(worker="test")))
    made = Media.objects.get(job=job.pk)
    assert (made.way, made.made_from, made.width, made.height) == ("inpaint", cutout, width, height)
    spot = made.recipe["spot"]
    assert "margins" not in made.recipe
    canvas, around = scenes.lay(_ball(), (width, height), scenes.Spot(**spot))
    with Image.open(made.file) as image:
        pixels = np.asarray(image.convert("RGB"))
    thing = np.asarray(around) == 0
    assert thing.sum() > 100
    assert np.array_equal(pixels[thing], np.asarray(canvas)[thing])
    assert not np.array_equal(pixels[~thing], np.asarray(canvas)[~thing])
    place = compare(cutout, made, alice).place
    assert f"--w: {spot['width'] / width:.4%}" in place

    again = services.retry_job(user=alice, job=job)
    assert Generation.objects.get(job=again).spot == spot
