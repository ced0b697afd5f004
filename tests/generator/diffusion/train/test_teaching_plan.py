"""Defaults by family and number of pictures, captions, words, estimates, and which point is proposed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.diffusion.spec import SpecError
from generator.diffusion.train import buckets, estimate, points
from generator.diffusion.train.defaults import FAMILIES, METHODS
from generator.diffusion.train.planning import make, suggest_word
from generator.diffusion.train.spec import FinetuneSpec


def planned(**changes) -> FinetuneSpec:
    return make("c", "p", **({"count": 10, "name": "Our bottle", "noun": "bottle"} | changes))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["subject", "style"])
def test_a_kind_and_a_name_are_enough(family, method, kind):
    if method == "embedding" and not FAMILIES[family].takes_embeddings:
        with pytest.raises(SpecError, match="no embeddings"):
            planned(family=family, method=method, kind=kind)
        return
    few, many = (planned(family=family, method=method, kind=kind, count=count) for count in (5, 40))
    assert few.steps < many.steps
    assert few.has_prior == (kind == "subject" and method != "embedding")
    assert all(few.word in prompt for prompt in few.sample_prompts())
    assert estimate.seconds(few, 1.0) > few.steps
    assert estimate.memory(few) > 0


def test_sizes_and_memory_follow_the_family():
    assert planned(family="sdxl").size == 1024
    assert planned(family="sd1", size=768).size == 768
    half = {family: estimate.memory(planned(family=family, method="lora"), is_half=True) for family in FAMILIES}
    assert half["starter"] < half["sd1"] < half["sdxl"] < half["flux"]
    # DreamBooth with LoRA on SDXL is known to fit 24 GB, on FLUX 80 GB; all of SDXL's weights fit neither 24 nor 40.
    assert half["sdxl"] < 24e9 < estimate.memory(planned(family="sdxl", method="full"), is_half=True)
    assert half["flux"] < 80e9


@pytest.mark.parametrize(
    ("changes", "own", "trained"),
    [
        ({}, "", "a photo of an ourbottle bottle"),
        ({}, "a bottle on a beach", "a ourbottle bottle on a beach"),
        ({}, "OURBOTTLE bottle in hand", "OURBOTTLE bottle in hand"),
        ({}, "on a table", "ourbottle bottle, on a table"),
        ({"method": "embedding"}, "a bottle on a beach", "a my-ourbottle on a beach"),
        ({"kind": "style"}, "a lake at dawn", "a lake at dawn, ourbottle style"),
        ({"kind": "style"}, "", "a picture in ourbottle style"),
        ({"family": "starter"}, "", "3d render of an ourbottle bottle"),
    ],
)
def test_captions_hold_the_word(changes, own, trained):
    assert planned(**changes).caption(own) == trained


def test_words_come_from_names():
    assert suggest_word("Our bottle!", "lora") == "ourbottle"
    assert suggest_word("Nimbus", "embedding") == "my-nimbus"
    assert suggest_word("!!", "lora") == "newthing"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"noun": ""}, "what kind of thing"),
        ({"word": "two words"}, "in one"),
        ({"family": "sd9"}, "no family"),
        ({"method": "magic"}, "no method"),
        ({"kind": "mood"}, "no kind"),
        ({"size": 100}, "multiple of 8"),
        ({"rank": 0}, "rank"),
        ({"learning_rate": 0.0}, "above zero"),
        ({"caption_dropout": 1.0}, "left out"),
        ({"prior_pictures": 0}, "class pictures"),
        ({"steps": 0}, "steps"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(SpecError, match=says):
        planned(**changes)


def point(step: int, likeness: float, validation: float = 1.0, nearest: int = 120, drift: float = 0.0) -> points.Point:
    return points.Point(step, Path(), points.Measures(validation, likeness, nearest, drift))


def test_the_likest_point_that_neither_copies_nor_forgets_is_proposed():
    before = point(0, 0.1)
    assert points.propose([before]) is None
    good = [before, point(100, 0.4), point(200, 0.6), point(300, 0.603), point(400, 0.5)]
    assert points.propose(good).step == 200
    assert points.propose([before, *(point(n, likeness) for n, likeness in ((1, 0.5), (2, 0.78), (3, 0.8)))]).step == 2
    assert points.propose([*good, point(500, 0.9, nearest=10)]).step == 200
    assert points.propose([*good, point(500, 0.9, drift=0.5)]).step == 200
    assert points.propose([*good, point(500, 0.9, validation=2.0)]).step == 200
    assert points.propose([before, point(1, 0.9, 1.2, drift=0.6), point(2, 0.95, 1.3, drift=0.9)]).step == 1


def test_pictures_come_in_shapes_of_about_the_same_area():
    assert buckets.choose((1000, 1000), 512, True) == (512, 512)
    assert buckets.choose((1600, 900), 512, False) == (512, 512)
    for size in ((1600, 900), (700, 1000), (3000, 1000)):
        height, width = buckets.choose(size, 1024, True)
        assert (height % 64, width % 64) == (0, 0)
        assert 0.85 < height * width / 1024**2 < 1.15
        assert (width > height) == (size[0] > size[1])


def test_views_are_crops_of_the_picture_and_always_the_same():
    gradient = np.zeros((100, 150, 3), np.uint8)
    gradient[..., 0], gradient[..., 1] = np.arange(150), np.arange(100)[:, None]
    picture = Image.fromarray(gradient)
    views = buckets.crops(picture, (64, 64), 4, seed=3, is_flipped=True)
    again = buckets.crops(picture, (64, 64), 4, seed=3, is_flipped=True)
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(views, again, strict=True))
    assert views[0].original == (64, 96)
    assert views[0].corner == (0, 16)
    # The middle of the picture is the middle of its first view; mirrored views run the other way.
    assert views[0].pixels[32, 32, :2].tolist() == pytest.approx([75, 50], abs=2)
    assert (
        views[0].pixels[0, 0, 0] < views[0].pixels[0, -1, 0],
        views[1].pixels[0, 0, 0] < views[1].pixels[0, -1, 0],
    ) == (
        True,
        False,
    )
    for view in views[2:]:
        assert view.original[0] >= 64
        assert 0 <= view.corner[0] <= view.original[0] - 64


def test_every_row_is_seen_once_a_round_in_batches_of_one_shape():
    groups = [np.arange(0, 4), np.arange(4, 10)]
    for turn in range(3):
        batches = [buckets.batch_of(turn * 5 + place, 2, groups, seed=1) for place in range(5)]
        assert sorted(row for batch in batches for row in batch.tolist()) == list(range(10))
        assert all({row < 4 for row in batch.tolist()} in ({True}, {False}) for batch in batches)
