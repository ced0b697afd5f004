"""generate(): one Step a step, the same pictures every time, and a cancel that leaves the pipeline usable."""

import pytest

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Cancelled, CheckpointError, SpecError
from tests.generator.diffusion import tiny

FAMILIES = ["flux", "pixart", "sd1", "sd3", "sdxl"]  # the others differ in little here: tests of the ways draw all


def largest_difference(one, other):
    """Of any channel of any pixel, of 255."""
    return max(abs(a - b) for a, b in zip(one.tobytes(), other.tobytes(), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_steps_and_draws(tiny_folder, spec_for, family):
    steps = []
    spec = spec_for(tiny_folder(family), width=64, height=48, steps=4, count=2, seed=5)
    result = generate(spec, steps.append)
    assert [(step.index, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(len(step.previews) == 2 for step in steps)
    assert [image.size for image in result.images] == [(64, 48)] * 2
    assert {image.mode for image in result.images} == {"RGB"}
    assert result.seeds == (5, 6)
    assert (result.device, result.dtype) == ("cpu", "float32")
    assert min(vars(result.timings).values()) >= 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_spec_gives_the_same_bytes(tiny_folder, spec_for, family):
    spec = spec_for(tiny_folder(family), count=2)
    first, second = generate(spec), generate(spec, lambda step: list(step.previews))
    assert [image.tobytes() for image in first.images] == [image.tobytes() for image in second.images]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_does_not_depend_on_its_batch(tiny_folder, spec_for, family):
    batch = generate(spec_for(tiny_folder(family), count=3, seed=40))
    alone = generate(spec_for(tiny_folder(family), seed=42))
    assert largest_difference(batch.images[2], alone.images[0]) <= 2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("at", [1, 2])
def test_a_cancel_stops_at_its_step_and_leaves_the_pipeline_usable(tiny_folder, spec_for, family, at):
    spec = spec_for(tiny_folder(family), steps=3)
    pipeline = pipelines.load(spec.checkpoint)
    scheduler = pipeline.scheduler
    before = generate(spec).images[0].tobytes()
    seen = []

    def stop(step):
        seen.append(step.index)
        if step.index == at:
            raise Cancelled

    with pytest.raises(Cancelled):
        generate(spec, stop)
    assert seen == list(range(1, at + 1))
    assert pipeline.scheduler is scheduler
    assert generate(spec).images[0].tobytes() == before


def test_the_seed_the_prompt_and_the_negative_prompt_all_count(tiny_folder, spec_for):
    folder = tiny_folder("sd1")
    changes = ({}, {"seed": 1}, {"prompt": "a pear"}, {"negative_prompt": "blue"}, {"guidance": 9.0}, {"steps": 4})
    pictures = {generate(spec_for(folder, **change)).images[0].tobytes() for change in changes}
    assert len(pictures) == len(changes)


def test_a_negative_prompt_reaches_flux_by_true_guidance(tiny_folder, spec_for):
    folder = tiny_folder("flux")
    plain, negative = generate(spec_for(folder)), generate(spec_for(folder, negative_prompt="blue"))
    assert plain.images[0].tobytes() != negative.images[0].tobytes()


def test_a_size_that_the_model_cannot_make_is_refused(tiny_folder, spec_for):
    with pytest.raises(SpecError, match="the width must be a multiple of 16 pixels, not 72"):
        generate(spec_for(tiny_folder("flux"), width=72))


def test_a_pipeline_that_draws_nothing_from_text_is_refused(tiny_folder, spec_for):
    from diffusers import StableDiffusionImg2ImgPipeline

    pipeline = StableDiffusionImg2ImgPipeline(**tiny.sd1().components, requires_safety_checker=False)
    with pytest.raises(CheckpointError, match="makes no pictures from text"):
        generate(spec_for(tiny_folder("sd1")), pipeline=pipeline)


def test_whatever_on_step_raises_is_passed_on(tiny_folder, spec_for):
    def broken(step):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        generate(spec_for(tiny_folder("sd1")), broken)
