"""Making a part anew: exact outside of it, for every family and for the starter."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generator.diffusion.sampling import generate
from generator.diffusion.ways.inpaint import distances, feathered
from generator.diffusion.ways.spec import Margins, Mask, Start
from tests.generator.diffusion import tiny
from tests.generator.diffusion.ways.test_image import picture

FAMILIES = sorted(tiny.FAMILIES)


def blob(size, box) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def changed(one, other) -> np.ndarray:
    return (np.asarray(one) != np.asarray(other)).any(axis=-1)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_changes_the_mask_and_not_one_bit_outside(tiny_folder, spec_for, family):
    image, mask = picture(), blob((64, 64), (20, 16, 51, 47))
    steps = []
    spec = spec_for(
        tiny_folder(family), steps=3, count=2, start=Start(image=image, strength=1.0), mask=Mask(image=mask, feather=3)
    )
    result = generate(spec, steps.append)
    for made in result.images:
        assert made.size == (64, 64)
        assert not changed(image, made)[np.asarray(mask) == 0].any()
        assert changed(image, made)[np.asarray(mask) > 0].mean() > 0.8
    assert [(step.index, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert steps[0].previews[0].size == (64, 64)
    assert generate(spec).images[0].tobytes() == result.images[0].tobytes()


def test_sizes_that_no_model_makes_and_soft_masks_are_exact_too(tiny_folder, spec_for):
    image, mask = picture(75, 53), blob((75, 53), (30, 10, 60, 40)).resize((75, 53))
    mask = Image.fromarray((np.asarray(mask) * 0.5).astype(np.uint8))
    spec = spec_for(tiny_folder("sd1"), width=75, height=53, start=Start(image=image), mask=Mask(image=mask, feather=2))
    [made] = generate(spec).images
    assert made.size == (75, 53)
    assert not changed(image, made)[np.asarray(mask) == 0].any()
    assert changed(image, made).any()


def test_in_a_large_picture_only_the_part_around_the_mask_is_worked_on(tiny_folder, spec_for):
    image, mask = picture(600, 400), blob((600, 400), (500, 300, 540, 340))
    widths = []
    spec = spec_for(
        tiny_folder("sd1"), width=600, height=400, native=64, start=Start(image=image), mask=Mask(image=mask)
    )
    [made] = generate(spec, lambda step: widths.append(step.previews[0].size)).images
    assert not changed(image, made)[np.asarray(mask) == 0].any()
    assert changed(image, made)[np.asarray(mask) > 0].any()
    assert widths[0] == (600, 400)  # the preview shows the whole picture


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_the_starter_too_whose_latents_diffusers_refuses(starter, spec_for, strength):
    spec = spec_for(starter, prompt="3d render of a red apple on a mint green background", steps=8, guidance=3.0)
    [image] = generate(spec).images
    mask = blob((64, 64), (16, 20, 47, 51))
    changes = {"start": Start(image=image, strength=strength), "mask": Mask(image=mask, feather=4), "native": 64}
    [made] = generate(spec_for(starter, prompt="3d render of a lemon", steps=8, guidance=3.0, **changes)).images
    assert not changed(image, made)[np.asarray(mask) == 0].any()
    assert changed(image, made)[np.asarray(mask) > 0].mean() > 0.8


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("native", [64, 48], ids=["at once", "side by side"])
def test_every_family_extends_a_picture_and_keeps_it(tiny_folder, spec_for, family, native):
    image, margins = picture(), Margins(left=24, top=16, bottom=8)
    steps = []
    spec = spec_for(
        tiny_folder(family),
        width=88,
        height=88,
        native=native,
        steps=2,
        count=2,
        margins=margins,
        start=Start(image=image, strength=1.0),
    )
    result = generate(spec, steps.append)
    parts = 1 if native == 64 else 3
    assert [(step.index, step.total) for step in steps] == [(n, 2 * parts) for n in range(1, 2 * parts + 1)]
    for made in result.images:
        assert made.size == (88, 88)
        assert made.crop((24, 16, 88, 80)).tobytes() == image.tobytes()
    assert result.images[0].tobytes() != result.images[1].tobytes()


def test_distances_count_from_the_nearest_outside():
    inside = np.ones((5, 6), bool)
    inside[2, 0] = inside[4, 5] = False
    assert distances(inside)[2].tolist() == [0, 1, 2, 3, 3, 2]
    assert (distances(np.ones((3, 3), bool)) >= 6).all()


def test_a_mask_fades_inwards_and_a_thin_stroke_stays():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 5:30] = 255
    mask[20, 35:60] = 255
    alpha = feathered(Image.fromarray(mask), 6)
    assert (alpha[mask == 0] == 0).all()
    assert alpha[20, 5] < alpha[20, 7] < alpha[20, 15] == 1
    assert alpha[20, 50] == 1
