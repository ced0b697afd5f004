"""From a picture, and variations: as diffusers' own pipelines make them, for every family."""

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image

from generator.diffusion import pipelines, schedulers
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Cancelled
from generator.diffusion.ways import latents
from generator.diffusion.ways.spec import Start, Variation
from tests.generator.diffusion import tiny

FAMILIES = sorted(tiny.FAMILIES)


def picture(width=64, height=64) -> Image.Image:
    """Colours that run across and down."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def difference(one, other) -> int:
    """The largest of any channel of any pixel."""
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_starts_from_a_picture(tiny_folder, spec_for, family):
    steps = []
    spec = spec_for(tiny_folder(family), steps=4, count=2, start=Start(image=picture(80, 48), strength=0.5))
    result = generate(spec, steps.append)
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]
    assert all(len(step.previews) == 2 for step in steps)
    assert [image.size for image in result.images] == [(64, 64)] * 2
    assert generate(spec).images[1].tobytes() == result.images[1].tobytes()
    assert result.images[0].tobytes() != result.images[1].tobytes()


@pytest.mark.parametrize("family", ["flux", "pixart", "sd1", "sd3", "sdxl"])
def test_a_weak_start_stays_near_the_picture_and_a_strong_one_leaves_it(tiny_folder, spec_for, family):
    pipeline = pipelines.load(str(tiny_folder(family)))
    kept = latents.encode(pipeline, picture())

    def away(strength):
        seen = []
        spec = spec_for(tiny_folder(family), steps=20, start=Start(image=picture(), strength=strength))
        handle = _denoiser(pipeline).register_forward_pre_hook(
            lambda _module, args, kwargs: seen.append(_first(args, kwargs)), with_kwargs=True
        )
        try:
            generate(spec)
        finally:
            handle.remove()
        sample = seen[0][:1]
        wanted = latents.pack(pipeline, kept)
        return torch.corrcoef(torch.stack([sample.flatten(), wanted.flatten()]))[0, 1].item()

    assert away(0.05) > 0.9 * away(0.05) > away(1.0)


@pytest.mark.parametrize("scheduler", ["default", "dpmpp_2m", "unipc", "euler", "euler_a", "heun", "ddim"])
@pytest.mark.parametrize("strength", [0.4, 0.75])
def test_it_is_what_diffusers_own_pipeline_makes(tiny_folder, spec_for, scheduler, strength):
    spec = spec_for(
        tiny_folder("sd1"),
        steps=8,
        guidance=5.0,
        seed=3,
        scheduler=scheduler,
        start=Start(image=picture(), strength=strength),
    )
    pipeline = pipelines.load(spec.checkpoint)
    direct = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    direct.set_progress_bar_config(disable=True)
    direct.scheduler = schedulers.build(scheduler, pipeline)
    with torch.inference_mode():
        expected = direct(
            prompt=spec.prompt,
            image=latents.encode(pipeline, picture()),  # at its mean, where diffusers would draw around it
            strength=strength,
            num_inference_steps=8,
            guidance_scale=5.0,
            generator=[torch.Generator().manual_seed(3)],
        ).images[0]
    assert difference(generate(spec).images[0], expected) <= 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_does_not_depend_on_its_batch(tiny_folder, spec_for, family):
    start = Start(image=picture(), strength=0.7)
    batch = generate(spec_for(tiny_folder(family), count=3, seed=40, start=start))
    alone = generate(spec_for(tiny_folder(family), seed=42, start=start))
    assert difference(batch.images[2], alone.images[0]) <= 2


@pytest.mark.parametrize("family", ["flux", "pixart", "sd1"])
def test_a_cancel_stops_at_its_step_and_leaves_the_pipeline_usable(tiny_folder, spec_for, family):
    spec = spec_for(tiny_folder(family), steps=4, start=Start(image=picture(), strength=0.8))
    before = generate(spec_for(tiny_folder(family))).images[0].tobytes()

    def stop(step):
        raise Cancelled

    with pytest.raises(Cancelled):
        generate(spec, stop)
    assert generate(spec_for(tiny_folder(family))).images[0].tobytes() == before


@pytest.mark.parametrize("family", FAMILIES)
def test_a_variation_by_nothing_is_the_picture_itself(tiny_folder, spec_for, family):
    own = generate(spec_for(tiny_folder(family), seed=5)).images[0]
    same, near, other = (
        generate(spec_for(tiny_folder(family), seed=5, variation=Variation(seed=9, amount=amount))).images[0]
        for amount in (0, 0.1, 1)
    )
    assert same.tobytes() == own.tobytes() != near.tobytes() != other.tobytes()


def test_variations_share_a_seed_and_differ(tiny_folder, spec_for):
    result = generate(spec_for(tiny_folder("sd1"), seed=5, count=2, variation=Variation(seed=9, amount=0.3)))
    assert result.seeds == (5, 5)
    assert result.images[0].tobytes() != result.images[1].tobytes()


def test_noise_on_the_way_keeps_its_strength():
    one, other = (torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    for amount in (0.0, 0.25, 0.5, 1.0):
        assert latents.slerp(one, other, amount).std().item() == pytest.approx(1, abs=0.02)
    assert torch.allclose(latents.slerp(one, other, 1.0), other, atol=1e-5)


def test_what_is_clear_becomes_white(tiny_folder, spec_for):
    clear, white = Image.new("RGBA", (64, 64), (0, 0, 0, 0)), Image.new("RGB", (64, 64), "white")
    one, other = (
        generate(spec_for(tiny_folder("sd1"), start=Start(image=image, strength=0.5))).images[0]
        for image in (clear, white)
    )
    assert one.tobytes() == other.tobytes()


def _denoiser(pipeline):
    return getattr(pipeline, "unet", None) or pipeline.transformer


def _first(args, kwargs):
    sample = args[0] if args else kwargs.get("hidden_states", kwargs.get("sample"))
    return torch.stack(sample) if isinstance(sample, list) else sample
