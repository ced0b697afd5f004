"""Previews: small, cheap, from noise to the picture."""

from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
import torch
from PIL import Image

from generator.diffusion import pipelines, preview
from generator.diffusion.sampling import generate
from tests.generator.diffusion import tiny


def distance(one, other):
    """Root mean square difference of a preview from a picture, of 255."""
    other = other.resize(one.size, Image.Resampling.BOX)
    return float(np.sqrt(np.square(np.asarray(one, float) - np.asarray(other, float)).mean()))


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "euler", "ddim"])
def test_the_starter_emerges_from_noise(starter, spec_for, scheduler):
    steps = []
    told = {"steps": 8, "scheduler": scheduler, "width": 128, "height": 128}
    spec = spec_for(starter, prompt="3d render of a rocket on a navy blue background", **told)
    result = generate(spec, steps.append)
    previews = [step.previews[0] for step in steps]
    assert {image.size for image in previews} == {(128, 128)}
    distances = [distance(image, result.images[0]) for image in previews]
    assert all(later < earlier + 0.1 for earlier, later in pairwise(distances))
    assert distances[0] > 60
    assert distances[-1] < 20  # four numbers for 8 x 8 pixels, and their neighbours' (4 alone: 30)


def test_a_preview_of_the_starter_takes_under_a_millisecond(starter):
    pipeline = pipelines.load(str(starter))
    latents = torch.randn(4, 4, 16, 16)
    times = []
    for _ in range(20):
        start = perf_counter()
        preview.render(pipeline, latents, noise=0.0, width=128, height=128)
        times.append((perf_counter() - start) / 4)
    assert min(times) < 0.001


def test_colours_are_fitted_to_any_autoencoder(starter):
    vae = pipelines.load(str(starter)).vae
    picture = torch.full((1, 3, 128, 128), -0.5)
    picture[:, 0] = 0.7  # plainly red
    with torch.no_grad():
        latents = vae.encode(picture).latent_dist.mode() * vae.config.scaling_factor
        seen = preview._fit(vae, 4)(latents)[0].float().mean((0, 1))
    assert torch.allclose(seen, torch.tensor([216.75, 63.75, 63.75]), atol=25)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 64), (128, 96)])
def test_previews_keep_the_format_and_stay_small(height, width):
    pipeline = tiny.sd1()
    pictures = preview.render(
        pipeline, torch.randn(2, 4, height, width), noise=14.6, width=8 * width, height=8 * height
    )
    assert [picture.size for picture in pictures] == [(width, height)] * 2


def test_large_latents_are_made_smaller():
    picture = preview.render(tiny.sd1(), torch.randn(1, 4, 512, 256), noise=0.0, width=2048, height=4096)[0]
    assert picture.size == (128, 256)


def test_packed_latents_are_unpacked():
    picture = preview.render(tiny.flux(), torch.randn(1, 6 * 4, 16), noise=0.0, width=64, height=96)[0]
    assert picture.size == (8, 12)


@pytest.mark.parametrize("shape", [(1, 24, 5), (1, 7, 6, 4), (1, 7, 1, 6, 4)], ids=["tokens", "channels", "clip"])
def test_latents_of_an_unknown_kind_are_shown_in_grey(shape):
    picture = preview.render(tiny.sd1(), torch.randn(shape), noise=0.0, width=64, height=96)[0]
    assert picture.size == (4, 6)
    red, green, blue = (np.asarray(channel) for channel in picture.split())
    assert (red == green).all()
    assert (green == blue).all()


def test_pixels_are_shown_as_they_are():
    pipeline = tiny.sd1()
    pipeline.vae = None
    picture = preview.render(pipeline, torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1), noise=0.0, width=1, height=1)[0]
    assert picture.getpixel((0, 0)) == (0, 128, 255)


def test_an_autoencoder_in_half_precision_is_left_as_it_was():
    vae = tiny.sd1().vae.half()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    with torch.inference_mode():
        assert preview._fit(vae, 4) is not None
    assert vae.dtype == torch.float16
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())
