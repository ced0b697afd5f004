"""Checkpoints on disk become warm pipelines."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from generator.diffusion import pipelines
from generator.diffusion.spec import CheckpointError
from tests.generator.diffusion import tiny


@pytest.fixture(autouse=True)
def _cold():
    pipelines.unload()


def test_a_folder_is_loaded_in_evaluation_mode_and_stays_warm(tiny_folder):
    folder = str(tiny_folder("sd1"))
    pipeline = pipelines.load(folder, device="cpu")
    assert type(pipeline).__name__ == "StableDiffusionPipeline"
    assert (pipeline.device.type, pipeline.dtype) == ("cpu", torch.float32)
    assert not pipeline.unet.training
    assert pipelines.load(folder, device="cpu") is pipeline


def test_a_checkpoint_that_changed_is_loaded_anew(tiny_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder("sd1"), folder)
    before = pipelines.load(str(folder))
    os.utime(folder / "model_index.json", ns=(1, 1))
    assert pipelines.load(str(folder)) is not before


def test_the_least_used_pipeline_makes_room(tiny_folder, monkeypatch):
    monkeypatch.setattr(pipelines, "MAX_WARM", 2)
    first = pipelines.load(str(tiny_folder("sd1")))
    for family in ("sdxl", "sd3"):
        pipelines.load(str(tiny_folder(family)))
    assert pipelines.load(str(tiny_folder("sd1"))) is not first


def test_half_precision_files_are_found(tiny_folder, tmp_path):
    tiny.sd1().to(torch.float16).save_pretrained(tmp_path / "half", variant="fp16")
    assert pipelines.load(str(tmp_path / "half")).dtype == torch.float32


def test_a_hub_id_is_found_in_the_local_cache(tiny_folder, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub/models--someone--apples"
    shutil.copytree(tiny_folder("sd1"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    code = "from generator.diffusion import pipelines; print(type(pipelines.load('someone/apples')).__name__)"
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "StableDiffusionPipeline", done.stderr


def test_what_is_nowhere_is_named(offline):
    with pytest.raises(CheckpointError, match="There is no checkpoint at “apples”"):
        pipelines.load("apples")
    with pytest.raises(CheckpointError, match="“no/apples” is no folder here, and could not be had from the hub"):
        pipelines.load("no/apples")


def test_the_device_is_stated():
    device, dtype = pipelines.choose_device("cpu")
    assert pipelines.describe_device(device, dtype) == "cpu, float32"
    assert pipelines.choose_device("cpu", torch.float16)[1] == torch.float16
