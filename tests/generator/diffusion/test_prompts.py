"""Kept prompt embeddings: encoded once, and not one bit different."""

import numpy as np
import pytest
import torch
from compel import CompelForSD, CompelForSDXL
from diffusers import DiffusionPipeline

from generator.diffusion import adapters, pipelines, prompts
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Adapter, SpecError
from tests.generator.diffusion import tiny_adapters


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


READERS = {"sd1": CompelForSD, "sdxl": CompelForSDXL}
LONG = "a red apple on a blue table beside the window of an old house in the country, " * 3


@pytest.mark.parametrize("family", READERS)
@pytest.mark.parametrize(
    ("prompt", "negative"),
    [("a (red)1.4 apple", ""), ("a (red)++ apple", "(blurred)0.5"), (LONG, "blurred"), (LONG + "(red)1.2", LONG)],
)
def test_weights_and_length_give_compels_own_tensors(tiny_folder, spec_for, family, prompt, negative):
    spec = spec_for(tiny_folder(family), prompt=prompt, negative_prompt=negative, guidance=4.0)
    ours = prompts.embeddings(pipelines.load(str(tiny_folder(family))), spec)
    direct = READERS[family](DiffusionPipeline.from_pretrained(tiny_folder(family)))(prompt, negative_prompt=negative)
    assert torch.equal(ours["prompt_embeds"], direct.embeds)
    assert torch.equal(ours["negative_prompt_embeds"], direct.negative_embeds)
    assert ours["prompt_embeds"].shape == ours["negative_prompt_embeds"].shape
    if family == "sdxl":
        assert torch.equal(ours["pooled_prompt_embeds"], direct.pooled_embeds)
        assert torch.equal(ours["negative_pooled_prompt_embeds"], direct.negative_pooled_embeds)
    assert generate(spec).images


def test_weights_as_other_programs_write_them(tiny_folder, spec_for):
    pipeline = pipelines.load(str(tiny_folder("sd1")))
    two = [
        prompts.embeddings(pipeline, spec_for(tiny_folder("sd1"), prompt=prompt))["prompt_embeds"]
        for prompt in ("a (red:1.4) apple", "a (red)1.4 apple")
    ]
    assert torch.equal(*two)


def test_the_word_of_an_embedding_can_be_weighed(tiny_folder, spec_for, tmp_path):
    pipeline, bare = pipelines.load(str(tiny_folder("sd1"))), DiffusionPipeline.from_pretrained(tiny_folder("sd1"))
    file = tiny_adapters.embedding(bare, tmp_path / "word.safetensors")
    worn = (Adapter(str(file), word="zzz"),)
    adapters.wear(pipeline, worn)
    spec = spec_for(tiny_folder("sd1"), prompt="a (zzz)1.5 apple", adapters=worn, guidance=1.0)
    ours = prompts.embeddings(pipeline, spec)["prompt_embeds"]
    bare.load_textual_inversion(file, token="zzz")
    direct = CompelForSD(bare, prompts.DiffusersTextualInversionManager(bare))(spec.prompt)
    assert torch.equal(ours, direct.embeds)
    adapters.wear(pipeline, ())


@pytest.mark.parametrize("prompt", ["a (red) apple", "a red apple (2024)", "C++ and (well-made) shoes", "(a)-b", "1:2"])
def test_brackets_alone_weigh_nothing(prompt):
    assert not prompts.WEIGHED.search(prompt)


@pytest.mark.parametrize("family", ["pixart", "sd3"])
def test_a_family_that_cannot_weigh_says_so(tiny_folder, spec_for, family):
    with pytest.raises(SpecError, match="cannot weigh words"):
        generate(spec_for(tiny_folder(family), prompt="a (red)1.4 apple"))
