"""The memory plan: chosen by what is free, changed by wishes, one rung lower when memory runs out."""

import numpy as np
import pytest
import torch

from generator.diffusion import memory, pipelines
from generator.diffusion.memory import MIB, Plan, make_plan
from generator.diffusion.sampling import generate
from generator.diffusion.spec import SpecError

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("weights", "largest", "free", "offload"),
    [
        (7 * GIB, 5 * GIB, 24 * GIB, ""),
        (7 * GIB, 5 * GIB, 8 * GIB, "model"),
        (24 * GIB, 23 * GIB, 8 * GIB, "sequential"),
    ],
)
def test_a_plan_goes_by_what_is_free(weights, largest, free, offload):
    plan = make_plan(weights, largest, CUDA, free, {})
    assert plan.offload == offload
    assert plan.tiling == bool(offload)


def test_nothing_is_moved_about_on_a_cpu():
    assert make_plan(90 * GIB, 90 * GIB, CPU, GIB, {}) == Plan()


def test_wishes_stand_and_nonsense_does_not():
    plan = make_plan(GIB, GIB, CUDA, 80 * GIB, {"offload": "model", "tiling": True, "slicing": "yes", "flying": True})
    assert (plan.offload, plan.tiling, plan.slicing) == ("model", True, False)
    assert str(plan) == "VAE in tiles, offload by model, channels last"


def _run_out(pipeline, times):
    """The real decoder of a pipeline runs out of memory so many times."""
    left = [times]

    def run_out(*_):
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")

    return pipeline.vae.decoder.register_forward_pre_hook(run_out)


@pytest.fixture
def spec(tiny_folder, spec_for):
    pipelines.unload()
    yield spec_for(tiny_folder("sd1"), count=2)
    pipelines.unload()


def test_out_of_memory_goes_one_rung_down_and_says_so(spec, tiny_folder):
    plain = generate(spec)
    assert plain.plan == "all on the device"
    pipelines.load(str(tiny_folder("sdxl")))
    pipeline = pipelines.load(spec.checkpoint)
    hook = _run_out(pipeline, 1)
    try:
        result = generate(spec)
    finally:
        hook.remove()
    assert result.plan == "VAE in slices, after it ran out of memory"
    assert pipelines.plans() == {spec.checkpoint: result.plan}  # the other pipeline made room
    for image, expected in zip(result.images, plain.images, strict=True):
        difference = np.asarray(image).astype(int) - np.asarray(expected)
        assert np.abs(difference).max() <= 1  # decoded one by one, of the same noise


def test_the_next_rung_is_tiles(spec):
    hook = _run_out(pipelines.load(spec.checkpoint), 2)
    try:
        assert generate(spec).plan == "VAE in slices, VAE in tiles, after it ran out of memory"
    finally:
        hook.remove()


def test_where_no_rung_is_left_the_person_is_told(spec):
    hook = _run_out(pipelines.load(spec.checkpoint), 9)
    try:
        with pytest.raises(SpecError, match="not enough memory"):
            generate(spec)
    finally:
        hook.remove()
    assert generate(spec).images


def test_wishes_of_a_checkpoint_are_followed(spec):
    pipelines.wish(spec.checkpoint, {"tiling": True})
    assert generate(spec).plan == "VAE in tiles"
    assert pipelines.load(spec.checkpoint).vae.use_tiling
    pipelines.wish(spec.checkpoint, {})
    assert generate(spec).plan == "all on the device"


def test_pipelines_stay_warm_as_long_as_there_is_memory(tiny_folder, monkeypatch):
    pipelines.unload()
    for family in ("sd1", "sdxl", "sd3"):
        pipelines.load(str(tiny_folder(family)))
    assert len(pipelines.warm()) == 3
    monkeypatch.setattr(memory, "measure", lambda _device: (1, 1))
    pipelines.load(str(tiny_folder("flux")))
    assert pipelines.warm() == [str(tiny_folder("flux"))]
    pipelines.unload()
