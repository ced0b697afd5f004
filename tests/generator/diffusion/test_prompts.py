"""Kept prompt embeddings: encoded once, and not one bit different."""

import numpy as np
import pytest
import torch

from generator.diffusion import pipelines, prompts
from generator.diffusion.sampling import generate


@pytest.fixture
def pipeline(tiny_folder):
    loaded = pipelines.load(str(tiny_folder("sd1")))
    prompts.forget(loaded)
    return loaded


@pytest.mark.parametrize(("guidance", "negative"), [(4.0, ""), (4.0, "blurred"), (1.0, "")])
def test_pictures_are_those_of_the_pipeline_alone(pipeline, tiny_folder, spec_for, guidance, negative):
    spec = spec_for(tiny_folder("sd1"), guidance=guidance, negative_prompt=negative, count=2)
    ours = [np.asarray(image) for _twice in range(2) for image in generate(spec).images]
    bare = pipeline(
        spec.prompt,
        negative_prompt=negative,
        width=spec.width,
        height=spec.height,
        num_inference_steps=spec.steps,
        guidance_scale=guidance,
        num_images_per_prompt=2,
        generator=[torch.Generator().manual_seed(seed) for seed in spec.seeds],
    ).images
    for image, expected in zip(ours, [*bare, *bare], strict=True):
        assert np.array_equal(image, np.asarray(expected))


def test_each_text_is_encoded_once(pipeline, tiny_folder, spec_for):
    calls: list[int] = []
    hook = pipeline.text_encoder.register_forward_hook(lambda *_: calls.append(1))
    try:
        for seed in range(3):
            generate(spec_for(tiny_folder("sd1"), seed=seed, guidance=4.0))
        assert len(calls) == 2  # the prompt and the empty negative prompt
        generate(spec_for(tiny_folder("sd1"), prompt="other words", guidance=4.0))
        assert len(calls) == 3
        prompts.forget(pipeline)
        generate(spec_for(tiny_folder("sd1"), prompt="other words", guidance=4.0))
        assert len(calls) == 5
    finally:
        hook.remove()


def test_a_family_that_encodes_its_texts_together_does_so_itself(tiny_folder, spec_for):
    loaded = pipelines.load(str(tiny_folder("sdxl")))
    assert prompts.embeddings(loaded, spec_for(tiny_folder("sdxl"))) == {}
