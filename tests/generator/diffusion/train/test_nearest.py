"""The nearest training picture: a copy is found however it was cropped or turned over, and others are far."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from generator.diffusion.train import pdq
from generator.diffusion.train.nearest import Originals
from tests.generator.trainings.conftest import photo


def picture(number: int) -> Image.Image:
    return Image.open(BytesIO(photo(number, edge=256))).convert("RGB")


@pytest.mark.parametrize("change", [lambda one: one, ImageOps.mirror, lambda one: one.resize((96, 96))])
def test_a_copy_is_found_and_named_by_its_place(change):
    originals = Originals([lambda n=n: picture(n) for n in range(5)])
    found = originals.nearest(change(picture(3)))
    assert (found.place, found.bits <= pdq.DUPLICATE) == (3, True)


def test_another_picture_is_far_from_all_of_them():
    originals = Originals([lambda n=n: picture(n) for n in range(5)])
    assert originals.nearest(picture(99)).bits > 2 * pdq.DUPLICATE


def test_an_original_is_looked_at_in_the_proportions_of_what_was_made():
    wide = Image.new("RGB", (512, 256), "white")
    wide.paste(picture(1), (128, 0))
    found = Originals([lambda: wide]).nearest(picture(1))
    assert found.bits <= pdq.DUPLICATE


def test_each_is_opened_once_a_shape_and_what_is_gone_is_counted():
    looked, busy = [], []

    def look(n):
        looked.append(n)
        return {0: None, 1: pdq.hash_picture(picture(1)), 2: picture(2)}[n]

    originals = Originals([lambda n=n: look(n) for n in range(3)], lambda: busy.append(1))
    assert [originals.nearest(picture(n)).place for n in (1, 2)] == [1, 2]
    assert (looked, len(busy), originals.gone) == ([0, 1, 2], 3, {0})
    originals.nearest(picture(1).crop((0, 0, 256, 128)))
    assert len(looked) == 6


def test_nothing_to_compare_with_is_no_distance():
    assert Originals([]).nearest(picture(1)) is None
    gone = Originals([lambda: None])
    assert gone.nearest(picture(1)) is None
    assert np.array_equal(sorted(gone.gone), [0])
