"""From a folder of tiny pictures to a model that every pipeline loads: the command line, killed once on the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting
from PIL import Image

from generator.diffusion import __main__, pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Cancelled, ImageSpec, SpecError
from generator.diffusion.train import autoencoder, cache, denoiser, loop, pretrain

SIZE = 32


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 coloured squares in two class folders."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        (folder / name).mkdir()
        for number in range(20):
            picture = Image.new("RGB", (40, 40), "white")
            picture.paste(colour, (*rng.integers(0, 15, 2).tolist(), *rng.integers(25, 40, 2).tolist()))
            picture.save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def small(starter_folder: Path) -> pretrain.PretrainSpec:
    told = {"save_every": 4, "validate_every": 4, "log_every": 1}
    return pretrain.PretrainSpec(
        words_from=str(starter_folder),
        size=SIZE,
        held_out=0.1,
        shape=denoiser.shape((16, 32)),
        autoencoder=loop.LoopSpec(steps=8, batch=4, learning_rate=1e-3, warmup=2, **told),
        denoiser=loop.LoopSpec(steps=8, batch=4, learning_rate=1e-3, warmup=2, sample_every=8, **told),
    )


@pytest.fixture(scope="module")
def starter_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from generator.diffusion.starter.assemble import assemble

    return assemble(tmp_path_factory.mktemp("models") / "starter")


@pytest.fixture(scope="module")
def trained(pictures: Path, small: pretrain.PretrainSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was cancelled in the denoiser and called again."""
    folder = tmp_path_factory.mktemp("run")
    told = []

    def stop(step):
        told.append((step.index, step.total))
        if step.index == 14:
            raise Cancelled

    source = pretrain.from_folder(pictures, SIZE)
    with pytest.raises(Cancelled):
        pretrain.pretrain(small, source, folder, stop)
    assert told == [(index, 16) for index in range(1, 15)]
    pretrain.pretrain(small, source, folder, lambda step: told.append((step.index, step.total)))
    assert told[14:] == [(15, 16), (16, 16)]
    return folder


def test_the_result_is_an_ordinary_checkpoint(trained: Path):
    spec = ImageSpec(checkpoint=str(trained / "model"), prompt="red", width=SIZE, height=SIZE, steps=2, count=2)
    images = generate(spec, lambda step: None, pipeline=pipelines.load(spec.checkpoint)).images
    assert [image.size for image in images] == [(SIZE, SIZE)] * 2
    index = json.loads((trained / "model/model_index.json").read_text())
    assert index["vae"] == ["generator.diffusion.starter.autoencoder", "PatchAutoencoder"]


def test_image_to_image_and_inpainting_run_on_it(trained: Path):
    pipeline = pipelines.load(str(trained / "model"))
    start = Image.new("RGB", (SIZE, SIZE), "red")
    mask = Image.new("L", (SIZE, SIZE), 0)
    mask.paste(255, (0, 0, SIZE // 2, SIZE))
    options = {"prompt": "blue", "image": start, "num_inference_steps": 4, "strength": 0.75}
    image = AutoPipelineForImage2Image.from_pipe(pipeline)(**options).images[0]
    assert image.size == (SIZE, SIZE)
    painted = AutoPipelineForInpainting.from_pipe(pipeline)(mask_image=mask, width=SIZE, height=SIZE, **options).images[
        0
    ]
    assert painted.size == (SIZE, SIZE)


def test_the_run_tells_its_losses_and_shows_samples(trained: Path):
    lines = [json.loads(line) for line in (trained / "denoiser/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 9))
    assert [line["step"] for line in lines if "validation_loss" in line] == [4, 8]
    assert any("psnr" in line for line in map(json.loads, (trained / "autoencoder/log.jsonl").read_text().splitlines()))
    assert Image.open(trained / "denoiser/samples/step-00000008.png").size[0] >= SIZE


def test_the_autoencoder_starts_from_what_linear_algebra_gives():
    rng = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(64, 3, 4, 4, generator=rng) * 2 - 1, SIZE, mode="bilinear")
    torch.manual_seed(0)
    model = autoencoder.make(SIZE).requires_grad_(False)
    autoencoder.start_from_pca(model, smooth)
    # A projection onto the principal components: what it paints from its own painting's pooled patches is the same.
    z = model.encode(smooth).latent_dist.mode()
    torch.testing.assert_close(model.encode(model.decode(z).sample).latent_dist.mode(), z, rtol=1e-3, atol=1e-3)
    assert autoencoder.psnr(model, smooth) > 20
    # Whitened: each channel of the latents has a variance of one.
    torch.testing.assert_close(z.transpose(0, 1).flatten(1).var(dim=1), torch.ones(4), rtol=0, atol=1e-2)
    autoencoder.set_scale(model, smooth)
    assert float(autoencoder.encode(model, smooth).std()) == pytest.approx(1, abs=1e-4)


def test_embeddings_are_those_of_the_pipeline(starter_folder: Path):
    pipeline = pipelines.load(str(starter_folder))
    ours = cache.embed(pipeline.tokenizer, pipeline.text_encoder, ["a red apple", ""])
    theirs, empty = pipeline.encode_prompt(["a red apple"], "cpu", 1, True)
    torch.testing.assert_close(ours, torch.cat([theirs, empty]), rtol=1e-5, atol=1e-5)


def test_a_cache_of_other_pictures_is_made_anew(tmp_path: Path):
    def build(key: str) -> cache.Cache:
        pixels = np.zeros((8, 8, 3), np.uint8)
        rows = [(pixels, "a"), (pixels, ""), (pixels, "a")]
        return cache.build(
            tmp_path, key, rows, 3, lambda x: x[:, :1, :1, :1], lambda texts: torch.ones(len(texts), 2, 4)
        )

    built = build("one")
    assert (built.captions, built.caption_of.tolist(), built.empty) == (("a", ""), [0, 1, 0], 1)
    assert cache.load(tmp_path, "one") is not None
    assert cache.load(tmp_path, "two") is None


def test_the_command_line_trains_and_goes_on(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command = f"train {pictures} -o {tmp_path / 'run'} --home {tmp_path} --size {SIZE} --widths 16,32 --batch 2"
    small = [*command.split(), "--autoencoder-steps", "2", "--sample-every", "0"]
    assert __main__.main([*small, "--steps", "2"]) == 0
    assert __main__.main([*small, "--steps", "4"]) == 0
    model = Path(capsys.readouterr().out.splitlines()[-1])
    assert (model / "model_index.json").is_file()
    assert sorted(path.name for path in (tmp_path / "run/denoiser/states").iterdir()) == [
        "step-00000002",
        "step-00000004",
    ]


def test_two_processes_train_one_model_and_write_it_once(pictures: Path, tmp_path: Path):
    """As `accelerate launch` starts them on several devices; here both are on the processor."""
    command = f"train {pictures} -o {tmp_path / 'run'} --home {tmp_path} --size {SIZE} --widths 16,32 --batch 2"
    told = "--autoencoder-steps 2 --steps 3 --sample-every 0 --tensorboard"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    told_of = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, "-m", "generator.diffusion", *command.split(), *told.split()],
        env={**os.environ, **told_of},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states = sorted(path.name for path in (tmp_path / "run/denoiser/states").iterdir())
    assert states == ["step-00000003"]
    facts = json.loads((tmp_path / "run/denoiser/states/step-00000003/state.json").read_text())
    assert (facts["step"], facts["processes"]) == (3, 2)
    assert list((tmp_path / "run/denoiser/tensorboard").glob("events*"))
    assert pipelines.load(str(tmp_path / "run/model")).unet.config.in_channels == 4


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert __main__.main(["train", str(tmp_path / "nowhere"), "-o", str(tmp_path), "--home", str(tmp_path)]) == 1
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"size": 36}, {"size": 8}, {"held_out": 0}])
def test_settings_without_sense_are_refused(wrong: dict):
    with pytest.raises(SpecError):
        pretrain.PretrainSpec(words_from="x", **wrong)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A starter's home of the test's own, with the card of the one that ships."""
    from generator.diffusion.starter import assemble, card

    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(Path(card.__file__).with_name("card.json"), home)
    monkeypatch.setattr(assemble, "WEIGHTS", home / "weights")
    for kept in (assemble.fingerprint, assemble.linked_folders):
        kept.cache_clear()
    yield home
    monkeypatch.undo()
    for kept in (assemble.fingerprint, assemble.linked_folders):
        kept.cache_clear()


def test_an_exported_model_is_the_starter_an_ordinary_checkpoint_with_its_card(
    trained: Path, home: Path, tmp_path: Path
):
    from generator.diffusion.starter.assemble import assemble
    from generator.diffusion.starter.recipe.__main__ import export

    export(trained / "model", home)
    folder = assemble(tmp_path / "assembled")
    pipeline = pipelines.load(str(folder))
    assert type(pipeline).__name__ == "StableDiffusionPipeline"
    card = json.loads((home / "card.json").read_text())
    assert card["native_size"] == SIZE
    assert card["licence"] == "Apache-2.0"
    spec = ImageSpec(checkpoint=str(folder), prompt="red", width=SIZE, height=SIZE, steps=3, guidance=card["guidance"])
    drawn, original = (
        np.asarray(generate(spec, pipeline=pipelines.load(str(one))).images[0], int)
        for one in (folder, trained / "model")
    )
    # The same model, but for the rounding of its weights to half precision.
    assert np.abs(drawn - original).max() <= 4
    index = json.loads((home / "weights/model_index.json").read_text())
    assert not {"_name_or_path"} & index.keys()
    assert str(tmp_path) not in "".join(path.read_text() for path in home.rglob("*.json"))
