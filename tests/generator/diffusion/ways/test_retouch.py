"""Larger pictures and pictures without a background: the real networks that ship."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from generator.diffusion.sampling import generate
from generator.diffusion.spec import Cancelled, CheckpointError
from generator.diffusion.starter.recipe.upscaler import read
from generator.diffusion.ways import esrgan, geometry, matting
from generator.diffusion.ways.spec import CutoutSpec, HiresSpec, Start, UpscaleSpec
from tests.generator.diffusion.ways.test_image import difference, picture


@pytest.mark.parametrize("factor", [2, 4])
def test_a_picture_becomes_larger_tile_by_tile_without_seams(monkeypatch, factor):
    image = picture(70, 40)
    whole = generate(UpscaleSpec(image=image, factor=factor)).images[0]
    monkeypatch.setattr(geometry, "UPSCALE_TILE", 48)
    steps = []
    tiled = generate(UpscaleSpec(image=image, factor=factor), steps.append)
    assert tiled.images[0].size == (70 * factor, 40 * factor)
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    assert max(steps[0].previews[0].size) <= 256
    assert difference(tiled.images[0], whole) <= 24  # the network sees 18 pixels far, tiles share 16
    assert np.abs(np.asarray(tiled.images[0], int) - np.asarray(whole, int)).mean() < 0.1
    again = np.asarray(whole.resize((70, 40), Image.Resampling.BOX), int)
    assert np.abs(again - np.asarray(image, int)).mean() < 12  # it is the same picture still


def test_what_is_clear_stays_clear():
    image = picture(24, 24).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((24, 24)))
    [made] = generate(UpscaleSpec(image=image, factor=2)).images
    assert (made.mode, made.size) == ("RGBA", (48, 48))
    assert made.getchannel("A").getpixel((0, 0)) < 20 < 230 < made.getchannel("A").getpixel((47, 47))


def test_a_cancel_ends_an_upscale_at_its_tile(monkeypatch):
    monkeypatch.setattr(geometry, "UPSCALE_TILE", 48)
    seen = []

    def stop(step):
        seen.append(step.index)
        raise Cancelled

    with pytest.raises(Cancelled):
        generate(UpscaleSpec(image=picture(90, 40), factor=2), stop)
    assert seen == [1]


def test_a_given_network_is_told_by_its_tensors(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "large.safetensors"
    save_file(esrgan.Residual(16, 1, 8).state_dict(), file)
    [made] = generate(UpscaleSpec(image=picture(16, 16), factor=4, model=str(file))).images
    assert made.size == (64, 64)
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match="no Real-ESRGAN network"):
        esrgan.load(str(file))


def test_the_upscalers_published_file_is_read_in_its_own_order():
    values = np.arange(27, dtype="<f2").tobytes() + b"\0\0"
    data = 0x01306B47.to_bytes(4, "little") + values + np.arange(1, dtype="<f4").tobytes()
    tensors = read(data, {"a.weight": (1, 3, 3, 3), "a.bias": (1,)})
    assert tensors["a.weight"][0, 2, 2, 2] == 26
    with pytest.raises(ValueError, match="left over"):
        read(data + b"\0\0\0\0", {"a.weight": (1, 3, 3, 3), "a.bias": (1,)})


@pytest.mark.parametrize("size", [(64, 64), (150, 90)])
def test_a_thing_is_cut_out_of_its_background(size):
    image = Image.new("RGB", size, (170, 235, 200))
    box = (size[0] // 4, size[1] // 5, size[0] * 3 // 4, size[1] * 4 // 5)
    ImageDraw.Draw(image).ellipse(box, fill=(200, 40, 40))
    steps = []
    [made] = generate(CutoutSpec(image=image), steps.append).images
    assert (made.mode, made.size, [step.index for step in steps]) == ("RGBA", size, [1])
    alpha = np.asarray(made.getchannel("A"))
    truth = (np.asarray(image)[..., 0] > 185) & (np.asarray(image)[..., 1] < 100)
    found = alpha > 127
    assert (found & truth).sum() / (found | truth).sum() > 0.85
    assert alpha[0, 0] == 0


def test_a_file_that_holds_no_such_network_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="cuts things out"):
        matting.load(str(tmp_path / "x.safetensors"))


def test_an_enlarged_picture_is_drawn_over_tile_by_tile(tiny_folder, spec_for):
    steps = []
    draw = spec_for(tiny_folder("sd1"), steps=4, start=Start(image=picture(50, 44), strength=0.5))
    result = generate(HiresSpec(draw=draw, factor=2), steps.append)
    assert result.images[0].size == (100, 88)
    assert [step.index for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].total == len(steps) == geometry.work(HiresSpec(draw=draw, factor=2))[1] == 2 * 4
    assert generate(HiresSpec(draw=draw, factor=2)).images[0].tobytes() == result.images[0].tobytes()


def test_tiles_that_are_drawn_over_have_no_seams(monkeypatch):
    from generator.diffusion.ways import hires

    spec = HiresSpec(draw=_draw(), factor=2)
    made = hires.refine(spec, lambda part, tell, starts: starts, None)  # a painter that changes nothing
    plain = generate(UpscaleSpec(image=spec.draw.start.image, factor=2)).images[0]
    assert difference(made, plain) <= 1


def _draw():
    from generator.diffusion.spec import ImageSpec

    return ImageSpec(checkpoint="c", prompt="p", width=64, height=64, start=Start(image=picture(90, 70), strength=0.3))
