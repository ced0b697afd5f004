"""Structure by ControlNet, subject and style by IP-Adapter: tiny real ones on tiny real families."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import CheckpointError, SpecError
from generator.diffusion.ways import control
from generator.diffusion.ways.spec import Reference, Start, Structure
from tests.generator.diffusion.tiny_guides import controlnet, ip_adapter
from tests.generator.diffusion.ways.test_image import picture


@pytest.fixture
def net(tiny_folder, tmp_path):
    """family -> the folder of a ControlNet for it."""
    return lambda family: controlnet(pipelines.load(str(tiny_folder(family))), tmp_path / f"net-{family}")


def test_a_transformer_follows_a_structure_too(tiny_folder, spec_for, net):
    steps = []  # in a transformer of one block, as the tiny one is, nothing is added to the last block: no more to see
    structure = Structure(image=picture(), kind="depth", model=net("sd3"))
    generate(spec_for(tiny_folder("sd3"), structure=structure), steps.append)
    assert len(steps) == 3


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_structure_leads(tiny_folder, spec_for, net, family):
    model, image = net(family), picture()
    plain = generate(spec_for(tiny_folder(family))).images[0].tobytes()
    steps = []
    led = spec_for(tiny_folder(family), structure=Structure(image=image, kind="depth", model=model))
    result = generate(led, steps.append)
    assert len(steps) == 3
    assert plain != result.images[0].tobytes() == generate(led).images[0].tobytes()
    weightless = spec_for(tiny_folder(family), structure=Structure(image=image, kind="depth", model=model, scale=0))
    assert generate(weightless).images[0].tobytes() == plain
    assert generate(spec_for(tiny_folder(family))).images[0].tobytes() == plain


def test_a_structure_goes_with_a_start(tiny_folder, spec_for, net):
    structure = Structure(image=picture(), kind="edges", model=net("sd1"))
    spec = spec_for(tiny_folder("sd1"), steps=4, structure=structure, start=Start(image=picture(), strength=0.5))
    steps = []
    generate(spec, steps.append)
    assert len(steps) == 2


def test_what_no_structure_leads_says_so(tiny_folder, spec_for, net, tmp_path):
    structure = Structure(image=picture(), kind="edges", model=net("sd1"))
    with pytest.raises(SpecError, match="cannot follow a structure"):
        generate(spec_for(tiny_folder("pixart"), structure=structure))
    with pytest.raises(CheckpointError, match="no diffusers folder of a ControlNet"):
        generate(spec_for(tiny_folder("sd1"), structure=Structure(image=picture(), kind="edges", model=str(tmp_path))))


def test_edges_are_thin_lines_around_things():
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).rectangle((16, 16, 47, 47), fill="navy")
    found = np.asarray(control.edges(image).convert("L")) > 0
    assert 80 < found.sum() < 260
    assert found[30, 12:20].any()
    assert not found[24:40, 24:40].any()
    assert not np.asarray(control.edges(Image.new("RGB", (32, 32), "red"))).any()


def test_a_drawing_in_black_becomes_white_on_black():
    image = Image.new("RGB", (8, 8), "white")
    image.putpixel((3, 3), (0, 0, 0))
    assert control.read(image, "scribble").getpixel((3, 3)) == (255, 255, 255)


@pytest.fixture
def adapter(tiny_folder, tmp_path):
    """family -> the file of an IP-Adapter for it, with its image encoder beside."""
    return lambda family: ip_adapter(pipelines.load(str(tiny_folder(family))), tmp_path / f"adapter-{family}")


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_reference_is_taken_over_and_given_back(tiny_folder, spec_for, adapter, family):
    plain = generate(spec_for(tiny_folder(family))).images[0].tobytes()
    model = adapter(family)
    one = spec_for(tiny_folder(family), reference=Reference(image=picture(), model=model, scale=1.0))
    other = spec_for(tiny_folder(family), reference=Reference(image=Image.new("RGB", (9, 9)), model=model, scale=1.0))
    results = {generate(spec).images[0].tobytes() for spec in (one, other, one)} | {plain}
    assert len(results) == 3
    assert generate(spec_for(tiny_folder(family))).images[0].tobytes() == plain


def test_what_takes_no_reference_says_so(tiny_folder, spec_for, adapter):
    reference = Reference(image=picture(), model=adapter("sd1"))
    with pytest.raises(SpecError, match="takes over nothing"):
        generate(spec_for(tiny_folder("pixart"), reference=reference))
