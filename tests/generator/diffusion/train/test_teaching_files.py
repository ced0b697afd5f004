"""What was learned loads with the libraries' own calls, draws the same pictures, and says what it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from safetensors.torch import load_file

from generator.diffusion import checkpoints, metadata, pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Adapter, ImageSpec
from generator.diffusion.train import export, points
from generator.diffusion.train.finetune import train_slice
from generator.diffusion.train.spec import FinetuneSpec, Lineage
from generator.diffusion.weights import read_header
from tests.generator.diffusion.train.taught import SIZE, draw_pictures, plan

LINEAGE = Lineage("Tiny", "ab" * 32, "CreativeML Open RAIL-M", "https://example.org/licence", "Alice")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("pictures") / "cups", ((80, 80), (72, 72)))


def teach(
    checkpoint: Path, pictures: Path, folder: Path, family: str, method: str
) -> tuple[FinetuneSpec, points.Point]:
    spec = plan(checkpoint, pictures, family, method, steps=4, decay=0, points=1, learning_rate=0.1, alpha=8.0)
    assert train_slice(spec, folder, seconds=600, lineage=LINEAGE)
    return spec, points.read(folder / "points")[-1]


def sample(spec: FinetuneSpec, pipeline: DiffusionPipeline) -> np.ndarray:
    """The first sample of a point, by diffusers' own call."""
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        spec.sample_prompts()[0],
        width=SIZE,
        height=SIZE,
        num_inference_steps=spec.sample_steps,
        guidance_scale=spec.guidance,
        generator=torch.Generator().manual_seed(spec.seed),
    )
    return np.asarray(drawn.images[0])


def check_sample(spec: FinetuneSpec, point: points.Point, drawn: np.ndarray, before: Path) -> None:
    kept = np.asarray(Image.open(point.samples[0]))
    assert np.abs(drawn.astype(int) - kept).max() <= 1
    assert np.abs(np.asarray(Image.open(before)).astype(int) - kept).max() > 1


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux"])
def test_a_lora_loads_in_diffusers_and_draws_its_samples(tiny_folder, pictures, tmp_path, family):
    folder = tiny_folder(family)
    spec, point = teach(folder, pictures, tmp_path, family, "lora")
    fresh = DiffusionPipeline.from_pretrained(folder, **dict.fromkeys(checkpoints.absent_parts(folder)))
    fresh.load_lora_weights(point.folder, weight_name=export.LORA)
    before = points.read(tmp_path / "points")[0].samples[0]
    check_sample(spec, point, sample(spec, fresh), before)
    wanted = ImageSpec(
        checkpoint=str(folder),
        prompt=spec.sample_prompts()[0],
        width=SIZE,
        height=SIZE,
        steps=spec.sample_steps,
        guidance=spec.guidance,
        adapters=(Adapter(str(point.folder / export.LORA)),),
    )
    check_sample(spec, point, np.asarray(generate(wanted).images[0]), before)


def test_a_lora_of_a_unet_has_kohyas_keys_which_every_studio_reads(tiny_folder, pictures, tmp_path):
    spec, point = teach(tiny_folder("sd1"), pictures, tmp_path, "sd1", "lora")
    tensors = load_file(point.folder / export.LORA)
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0"
    assert tensors[f"{layer}.lora_down.weight"].shape == (spec.rank, 64)
    assert tensors[f"{layer}.lora_up.weight"].shape == (64, spec.rank)
    assert tensors[f"{layer}.alpha"] == spec.alpha
    # A1111's extensions-builtin/Lora/networks.py and ComfyUI's comfy/lora.py know diffusers' blocks by these names.
    known = re.compile(r"lora_unet_(down_blocks|up_blocks)_\d_attentions_\d_\w+|lora_unet_mid_block_attentions_\d_\w+")
    assert all(known.fullmatch(name.split(".")[0]) for name in tensors)


def test_a_lora_of_a_transformer_has_diffusers_keys_with_its_scale_inside(tiny_folder, pictures, tmp_path):
    _spec, point = teach(tiny_folder("flux"), pictures, tmp_path, "flux", "lora")
    names = [*load_file(point.folder / export.LORA)]
    assert "transformer.transformer_blocks.0.attn.to_q.lora_A.weight" in names
    assert "transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight" in names
    assert all(name.endswith((".lora_A.weight", ".lora_B.weight")) for name in names)


@pytest.mark.parametrize(
    ("family", "keys"), [("sd1", {"my-ourcup"}), ("sdxl", {"clip_l", "clip_g"}), ("flux", {"clip_l", "t5"})]
)
def test_an_embedding_loads_in_diffusers_and_draws_its_samples(tiny_folder, pictures, tmp_path, family, keys):
    folder = tiny_folder(family)
    spec, point = teach(folder, pictures, tmp_path, family, "embedding")
    file = point.folder / export.EMBEDDING
    tensors = load_file(file)
    assert tensors.keys() == keys
    assert {len(vectors) for vectors in tensors.values()} == {spec.vectors}
    fresh = DiffusionPipeline.from_pretrained(folder)
    if family == "sd1":
        fresh.load_textual_inversion(file)
    else:
        for number, vectors in zip(("", "_2"), [tensors[key] for key in ("clip_l", *(keys - {"clip_l"}))], strict=True):
            parts = {name: getattr(fresh, name + number) for name in ("text_encoder", "tokenizer")}
            fresh.load_textual_inversion(vectors, token=spec.word, **parts)
    before = points.read(tmp_path / "points")[0].samples[0]
    drawn = sample(spec, fresh)
    check_sample(spec, point, drawn, before)
    wanted = ImageSpec(
        checkpoint=str(folder),
        prompt=spec.sample_prompts()[0],
        width=SIZE,
        height=SIZE,
        steps=spec.sample_steps,
        guidance=spec.guidance,
        adapters=(Adapter(str(file), word=spec.word),),
    )
    check_sample(spec, point, np.asarray(generate(wanted).images[0]), before)


def test_all_weights_become_a_checkpoint(tiny_folder, pictures, tmp_path):
    folder = tiny_folder("sd1")
    spec, point = teach(folder, pictures, tmp_path / "run", "sd1", "full")
    target = export.save_checkpoint(point.folder, str(folder), tmp_path / "model")
    before = points.read(tmp_path / "run/points")[0].samples[0]
    check_sample(spec, point, sample(spec, DiffusionPipeline.from_pretrained(target)), before)
    wanted = ImageSpec(checkpoint=str(target), prompt="a cup", width=SIZE, height=SIZE, steps=1)
    assert generate(wanted, pipeline=pipelines.load(str(target))).images[0].size == (SIZE, SIZE)


def test_files_say_what_they_are(tiny_folder, pictures, tmp_path):
    spec, point = teach(tiny_folder("sd1"), pictures, tmp_path, "sd1", "lora")
    said = read_header(point.folder / export.LORA).metadata
    facts = metadata.describe(read_header(point.folder / export.LORA))
    assert facts["title"] == "Our cup"
    assert facts["triggers"] == ["ourcup cup"]
    assert facts["family"] == "sd1"
    assert facts["license"] == LINEAGE.licence
    assert (said["ss_network_dim"], said["ss_network_alpha"], said["ss_steps"]) == ("4", "8.0", "4")
    assert said["ss_new_sd_model_hash"] == LINEAGE.base_hash
    assert json.loads(said["ss_tag_frequency"]) == {"ourcup": {"a ourcup cup on red": 1, "a ourcup cup on blue": 1}}
    # Of other pictures, another hash; of the same ones, the same.
    assert train_slice(replace(spec, steps=1, warmup=0), tmp_path / "again", seconds=600)
    again = read_header(points.read(tmp_path / "again/points")[-1].folder / export.LORA).metadata
    assert again["atelier.data_hash"] == said["atelier.data_hash"]
    Image.new("RGB", (90, 90), "red").save(pictures / "0.png")
    assert train_slice(replace(spec, steps=1, warmup=0), tmp_path / "other", seconds=600)
    other = read_header(points.read(tmp_path / "other/points")[-1].folder / export.LORA).metadata
    assert other["atelier.data_hash"] != said["atelier.data_hash"]
