"""LoRAs and embeddings: what diffusers itself makes of them, and afterwards a pipeline as good as new."""

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Adapter, AdapterError, SpecError
from tests.generator.diffusion import tiny_adapters
from tests.generator.diffusion.hostile import FILES

FAMILIES = ["sd1", "sdxl"]


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tiny_folder):
    return tiny_folder(request.param)


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """Two LoRAs and an embedding for the family."""
    root = tmp_path_factory.mktemp("adapters")
    pipeline = DiffusionPipeline.from_pretrained(folder)
    tiny_adapters.lora(pipeline, root / "one.safetensors", seed=1)
    tiny_adapters.lora(DiffusionPipeline.from_pretrained(folder), root / "two.safetensors", seed=2, text=False)
    tiny_adapters.kohya(root / "two.safetensors", root / "kohya.safetensors")
    tiny_adapters.embedding(pipeline, root / "word.safetensors")
    return root


def _direct(pipeline, spec):
    """The pictures by diffusers' own call."""
    return pipeline(
        spec.prompt,
        negative_prompt=spec.negative_prompt or None,
        width=spec.width,
        height=spec.height,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        generator=[torch.Generator().manual_seed(seed) for seed in spec.seeds],
        output_type="np",
    ).images


def _ours(spec):
    return np.stack([np.asarray(image) for image in generate(spec).images])


def _same(spec, pipeline):
    theirs = (_direct(pipeline, spec) * 255).round().astype("uint8")
    return np.array_equal(_ours(spec), theirs)


@pytest.fixture
def fresh(folder):
    """A pipeline that nobody has touched."""
    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_loras_with_weights_draw_what_diffusers_draws(folder, made, fresh, spec_for):
    adapters = (Adapter(str(made / "one.safetensors"), 0.8), Adapter(str(made / "two.safetensors"), -0.5))
    plain = _ours(spec_for(folder))
    spec = spec_for(folder, adapters=adapters)
    fresh.load_lora_weights(made, weight_name="one.safetensors", adapter_name="one")
    fresh.load_lora_weights(made, weight_name="two.safetensors", adapter_name="two")
    fresh.set_adapters(["one", "two"], [0.8, -0.5])
    assert _same(spec, fresh)
    assert not np.array_equal(_ours(spec), plain)
    fresh.set_adapters(["two"], [2.0])
    assert _same(spec_for(folder, adapters=(Adapter(str(made / "two.safetensors"), 2.0),)), fresh)


def test_afterwards_the_pipeline_is_as_good_as_new(folder, made, spec_for):
    plain = _ours(spec_for(folder))
    pipeline = pipelines.load(str(folder))
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    words = pipeline.tokenizer.get_vocab()
    every = (
        Adapter(str(made / "one.safetensors"), 2.0),
        Adapter(str(made / "word.safetensors"), word="zzz"),
    )
    assert not np.array_equal(_ours(spec_for(folder, prompt="a zzz", adapters=every)), plain)
    assert np.array_equal(_ours(spec_for(folder)), plain)
    after = pipeline.unet.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert pipeline.tokenizer.get_vocab() == words
    assert pipeline.text_encoder.get_input_embeddings().weight.shape[0] == pipeline.text_encoder.config.vocab_size


def test_loras_stay_loaded_for_the_next_job(folder, made, spec_for, monkeypatch):
    pipeline = pipelines.load(str(folder))
    generate(spec_for(folder))
    loads = []
    load = type(pipeline).load_lora_weights
    monkeypatch.setattr(
        type(pipeline), "load_lora_weights", lambda self, *a, **k: (loads.append(1), load(self, *a, **k))
    )
    for weight in (0.5, 1.0, 1.5):
        generate(spec_for(folder, adapters=(Adapter(str(made / "one.safetensors"), weight),)))
    assert len(loads) == 1


def test_an_embedding_by_its_word_draws_what_diffusers_draws(folder, made, fresh, spec_for):
    file = made / "word.safetensors"
    spec = spec_for(folder, prompt="a zzz on red", adapters=(Adapter(str(file), word="zzz"),))
    tensors = load_file(file)
    if "clip_g" in tensors:
        for key, number in (("clip_l", ""), ("clip_g", "_2")):
            parts = {f"{name}": getattr(fresh, name + number) for name in ("text_encoder", "tokenizer")}
            fresh.load_textual_inversion(tensors[key], token="zzz", **parts)
    else:
        fresh.load_textual_inversion(file, token="zzz")
    assert _same(spec, fresh)
    assert not np.array_equal(_ours(spec), _ours(spec_for(folder, prompt="a zzz on red")))


def test_a_kohya_file_is_the_same_lora(folder, made, spec_for, fresh):
    """Its alpha of 1 at rank 2 halves it."""
    kohya = _ours(spec_for(folder, adapters=(Adapter(str(made / "kohya.safetensors"), 1.0),)))
    own = _ours(spec_for(folder, adapters=(Adapter(str(made / "two.safetensors"), 0.5),)))
    assert np.abs(kohya.astype(int) - own.astype(int)).max() <= 1
    fresh.load_lora_weights(made, weight_name="kohya.safetensors")
    assert _same(spec_for(folder, adapters=(Adapter(str(made / "kohya.safetensors"), 1.0),)), fresh)


def test_one_for_another_family_is_refused_and_leaves_nothing(folder, made, spec_for, tmp_path):
    plain = _ours(spec_for(folder))
    save_file({"unet.nothing.lora_A.weight": torch.ones(2, 3)}, tmp_path / "other.safetensors")
    save_file({"emb": torch.ones(2, 7)}, tmp_path / "word.safetensors")
    for adapter in (
        Adapter(str(tmp_path / "other.safetensors")),
        Adapter(str(tmp_path / "word.safetensors"), word="qqq"),
    ):
        with pytest.raises(AdapterError) as refused:
            generate(spec_for(folder, adapters=(Adapter(str(made / "one.safetensors")), adapter)))
        assert refused.value.path == adapter.path
    assert np.array_equal(_ours(spec_for(folder)), plain)


@pytest.mark.parametrize("name", ["pickle", "torch zip", "outside the file", "NaN"])
def test_a_hostile_file_is_refused(tiny_folder, spec_for, tmp_path, name):
    make, says = FILES[name]
    make(tmp_path / "a.safetensors")
    for adapter in (Adapter(str(tmp_path / "a.safetensors")), Adapter(str(tmp_path / "a.safetensors"), word="qqq")):
        with pytest.raises(AdapterError, match=says):
            generate(spec_for(tiny_folder("sd1"), adapters=(adapter,)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_family_without_says_so(tiny_folder, spec_for, tmp_path):
    save_file({"a": torch.ones(1, 32)}, tmp_path / "a.safetensors")
    with pytest.raises(SpecError, match="takes no embeddings"):
        generate(spec_for(tiny_folder("pixart"), adapters=(Adapter(str(tmp_path / "a.safetensors"), word="qqq"),)))


@pytest.mark.parametrize("wrong", [{"weight": float("nan")}, {"weight": 5.0}, {"word": "two words"}])
def test_what_is_no_adapter_is_refused(wrong):
    with pytest.raises(SpecError):
        Adapter("a", **wrong)
