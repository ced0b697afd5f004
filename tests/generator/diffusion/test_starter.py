"""The starter: an autoencoder of our own in an ordinary folder, drawing what a plain sampler draws."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.starter import assemble as assembling
from generator.diffusion.starter.assemble import MARKER, WEIGHTS, assemble, fingerprint
from generator.diffusion.starter.autoencoder import PatchAutoencoder
from generator.diffusion.starter.card import read_card, read_concepts

NATIVE = {"width": 128, "height": 128}
PROMPT = "3d render of a rocket on a navy blue background"


@torch.no_grad()
def sample_plainly(pipeline, prompt, *, steps, guidance, seed):
    """The textbook loop over the parts, without pipeline and without prompt masks forgotten: [128, 128, 3] of uint8."""
    tokens = pipeline.tokenizer(["", prompt], padding="max_length", max_length=24, truncation=True, return_tensors="pt")
    context = pipeline.text_encoder(**tokens).last_hidden_state
    scheduler = DPMSolverMultistepScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
    scheduler.set_timesteps(steps)
    x = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(seed))
    for t in scheduler.timesteps:
        without, with_prompt = pipeline.unet(torch.cat([x, x]), t, context).sample.chunk(2)
        x = scheduler.step(without + guidance * (with_prompt - without), t, x).prev_sample
    pixels = pipeline.vae.decode(x / pipeline.vae.config.scaling_factor).sample
    return pixels[0].clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy()


def test_it_draws_what_a_plain_sampler_draws(starter, spec_for):
    image = generate(spec_for(starter, prompt=PROMPT, steps=20, guidance=3.0, seed=7, **NATIVE)).images[0]
    expected = sample_plainly(pipelines.load(str(starter)), PROMPT, steps=20, guidance=3.0, seed=7)
    assert np.abs(np.asarray(image, int) - expected.astype(int)).max() <= 1


def test_it_draws_what_it_is_asked_for(starter, spec_for):
    pixels = np.asarray(
        generate(spec_for(starter, prompt=PROMPT, steps=20, guidance=3.0, seed=7, **NATIVE)).images[0], int
    )
    red, _, blue = np.concatenate([pixels[:16, :16], pixels[-16:, -16:]]).reshape(-1, 3).mean(0)
    assert blue > red + 30  # navy in the corners
    assert blue < 128
    assert pixels[40:88, 40:88].mean() > 110  # and a light rocket in the middle


@pytest.mark.parametrize("steps", [20])
def test_alone_or_in_a_batch_it_draws_the_same(starter, spec_for, steps):
    batch = generate(spec_for(starter, prompt=PROMPT, steps=steps, count=4, seed=7)).images
    again = generate(spec_for(starter, prompt=PROMPT, steps=steps, count=4, seed=7)).images
    alone = [generate(spec_for(starter, prompt=PROMPT, steps=steps, seed=seed)).images[0] for seed in (7, 10)]
    assert [image.tobytes() for image in batch] == [image.tobytes() for image in again]
    for one, other in zip((batch[0], batch[3]), alone, strict=True):
        assert np.abs(np.asarray(one, int) - np.asarray(other, int)).max() <= 2


@pytest.mark.parametrize("size", [(48, 88), (112, 40), (8, 8), (128, 128)])
def test_it_makes_other_formats(starter, spec_for, size):
    image = generate(spec_for(starter, width=size[0], height=size[1], steps=2)).images[0]
    assert image.size == size


def test_a_long_prompt_is_cut_not_refused(starter, spec_for):
    assert generate(spec_for(starter, prompt="a red apple " * 50, steps=1)).images


def picture():
    """[1, 3, 128, 128]: a soft disc on a plain ground, much like what it was trained on."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 128), indexing="ij")
    disc = torch.sigmoid((0.6 - (x**2 + y**2).sqrt()) * 20)
    return torch.stack([2 * disc - 1, 0.2 - 0.8 * disc, -0.6 + 0 * disc])[None]


def test_the_autoencoder_keeps_a_picture(starter):
    vae = pipelines.load(str(starter)).vae
    with torch.no_grad():
        error = (vae(picture()).sample.clamp(-1, 1) - picture()).square().mean()
    assert 10 * torch.log10(4 / error) > 26  # dB
    latents = vae.encode(picture()).latent_dist
    assert latents.sample().shape == (1, 4, 16, 16)
    assert torch.equal(latents.sample(), latents.mode())


@pytest.mark.parametrize("geometry", [{}, {"latent_channels": 4, "pool": 2, "block_out_channels": (3, 32, 64, 96)}])
def test_the_autoencoder_is_saved_and_loaded_in_any_geometry(tmp_path, geometry):
    torch.manual_seed(0)
    vae = PatchAutoencoder(**geometry).eval()
    torch.nn.init.normal_(vae.basis)
    vae.save_pretrained(tmp_path)
    again = PatchAutoencoder.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        latents = vae.encode(picture()).latent_dist.mode()
        assert latents.shape == (1, geometry.get("latent_channels", 16), 16, 16)
        assert torch.equal(again.decode(latents).sample, vae.decode(latents, return_dict=False)[0])
        assert vae.decode(latents).sample.shape == (1, 3, 128, 128)


def test_it_is_assembled_once(tmp_path):
    folder = assemble(tmp_path / "models/starter")
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    assert assemble(folder) == folder
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before
    assert [path.name for path in folder.parent.iterdir()] == ["starter"]


def test_it_takes_no_space(starter):
    assert sum(path.lstat().st_size for path in starter.rglob("*") if not path.is_symlink()) < 100_000


@pytest.mark.parametrize("damage", ["old", "dangling", "foreign"])
def test_it_is_assembled_anew_when_need_be(tmp_path, damage):
    folder = assemble(tmp_path / "starter")
    if damage == "old":
        (folder / MARKER).write_text("of other weights")
    elif damage == "dangling":
        (folder / "unet/config.json").unlink()
        (folder / "unet/config.json").symlink_to(tmp_path / "gone")
    else:
        (folder / MARKER).unlink()
    assemble(folder)
    assert (folder / MARKER).read_text() == fingerprint()
    assert json.loads((folder / "unet/config.json").read_text())["_class_name"] == "UNet2DConditionModel"


def test_it_is_copied_where_links_cannot_be_made(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError("no links here")

    monkeypatch.setattr(assembling.Path, "symlink_to", refuse)
    folder = assemble(tmp_path / "starter")
    assert (folder / "unet/config.json").read_bytes() == (WEIGHTS / "unet/config.json").read_bytes()


def test_many_processes_assemble_it_at_once(tmp_path):
    folder = tmp_path / "starter"
    code = f"from generator.diffusion.starter.assemble import assemble; assemble({str(folder)!r})"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(6)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, errors
    assert [path.name for path in tmp_path.iterdir()] == ["starter"]
    assert (folder / MARKER).read_text() == fingerprint()


def test_its_card_and_concepts_can_be_read():
    card = read_card()
    assert (card["native_size"], card["licence"], card["commercial_use"]) == (128, "Apache-2.0", True)
    assert card["scheduler"] in card["schedulers"]
    assert len(set(read_concepts())) == 983
    assert all(any(concept in prompt for concept in read_concepts()) for prompt in card["suggestions"])
