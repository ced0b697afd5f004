"""Slices: exact resume in other processes, after kills; what is told; and a warm pipeline given back as it was."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import random
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import Cancelled, SpecError
from generator.diffusion.train import points
from generator.diffusion.train.finetune import train_slice
from generator.diffusion.train.spec import FinetuneSpec
from tests.generator.diffusion.train.taught import draw_pictures, plan

FILES = {
    "lora": "lora.safetensors",
    "embedding": "embedding.safetensors",
    "full": "unet/diffusion_pytorch_model.safetensors",
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("pictures") / "cups")


def learned(spec: FinetuneSpec, folder: Path) -> dict[str, torch.Tensor]:
    return load_file(points.read(folder / "points")[-1].folder / FILES[spec.method])


def check_same(spec: FinetuneSpec, one: Path, other: Path) -> None:
    """The same curve, the same points, and the same weights to float tolerance."""
    mine, theirs = (learned(spec, folder) for folder in (one, other))
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-5)
    first, second = (points.read(folder / "points") for folder in (one, other))
    assert [point.step for point in first] == [point.step for point in second] == [0, spec.steps // 2, spec.steps]
    for mine, theirs in zip(first, second, strict=True):
        assert mine.measures.validation == pytest.approx(theirs.measures.validation, rel=1e-4)
        assert mine.measures.likeness == pytest.approx(theirs.measures.likeness, abs=1e-3)
    curves = [
        [line["loss"] for line in map(json.loads, (folder / "log.jsonl").read_text().splitlines()) if "loss" in line]
        for folder in (one, other)
    ]
    assert len(curves[0]) == spec.steps
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)


@pytest.mark.parametrize("method", ["lora", "embedding", "full"])
def test_many_slices_are_one_undisturbed_run(tiny_folder, pictures, tmp_path, method):
    spec = plan(tiny_folder("sd1"), pictures, "sd1", method, steps=4, decay=2)
    told = []
    assert train_slice(spec, tmp_path / "calm", told.append, seconds=600)
    slices = 0
    while not train_slice(spec, tmp_path / "sliced", seconds=0):
        slices += 1
        if slices == 5:
            pipelines.unload()  # as another process would find it
    drawn = spec.total - spec.steps
    # A slice each: a class picture drawn, a crop of one (two shapes), a training picture read, and a step but the last.
    assert slices == (2 * drawn) + 4 + spec.steps - 1
    check_same(spec, tmp_path / "calm", tmp_path / "sliced")
    assert [step.index for step in told if step.loss is not None] == list(range(drawn + 1, spec.total + 1))
    assert {step.total for step in told} == {spec.total}
    samples = [step.index - drawn for step in told if step.previews and step.loss is not None]
    assert samples == [2, 4]


def train_until_killed(spec: FinetuneSpec, folder: Path, at: int, threads: int) -> None:
    """Dies by SIGKILL when it is told for the at-th time."""
    torch.set_num_threads(threads)
    count = itertools.count(1)

    def on_step(_step: object) -> None:
        if next(count) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    train_slice(spec, folder, on_step, seconds=600)
    os._exit(0)


def test_killed_at_random_and_resumed_ten_times_equals_undisturbed(tiny_folder, pictures, tmp_path):
    spec = plan(tiny_folder("sd1"), pictures, "sd1", samples=(), views=1)
    assert train_slice(spec, tmp_path / "calm", seconds=600)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    rng = random.Random(1)
    for _ in range(10):
        arguments = (spec, tmp_path / "rough", rng.randint(1, 4), torch.get_num_threads())
        process = processes.Process(target=train_until_killed, args=arguments)
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert train_slice(spec, tmp_path / "rough", seconds=600)
    check_same(spec, tmp_path / "calm", tmp_path / "rough")


@pytest.mark.parametrize(
    ("family", "method"), [("sdxl", "lora"), ("sd3", "lora"), ("flux", "lora"), ("flux", "embedding")]
)
def test_every_family_learns_and_gives_its_pipeline_back(tiny_folder, pictures, tmp_path, spec_for, family, method):
    folder = tiny_folder(family)
    spec = plan(folder, pictures, family, method, steps=2, decay=0, points=1, gradient_checkpointing=method == "lora")
    pipeline = pipelines.load(str(folder))
    wanted = spec_for(folder, steps=2)
    before = np.asarray(generate(wanted, pipeline=pipeline).images[0])
    assert train_slice(spec, tmp_path / "run", seconds=600, pipeline=pipeline)
    assert np.array_equal(np.asarray(generate(wanted, pipeline=pipeline).images[0]), before)
    last = points.read(tmp_path / "run/points")[-1]
    assert any(tensor.abs().sum() > 0 for tensor in load_file(last.folder / FILES[method]).values())
    assert last.measures.validation < points.read(tmp_path / "run/points")[0].measures.validation


def test_a_cancel_saves_and_goes_through_and_the_pipeline_is_as_new(tiny_folder, pictures, tmp_path, spec_for):
    folder = tiny_folder("sd1")
    spec = plan(folder, pictures, "sd1", "embedding")
    pipeline = pipelines.load(str(folder))
    words = pipeline.tokenizer.get_vocab()
    wanted = spec_for(folder, prompt="a my-ourcup on red")
    before = np.asarray(generate(wanted, pipeline=pipeline).images[0])

    def stop(step: object) -> None:
        if step.loss is not None and step.index == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        train_slice(spec, tmp_path, stop, seconds=600, pipeline=pipeline)
    assert (tmp_path / "states/step-00000003").is_dir()
    assert pipeline.tokenizer.get_vocab() == words
    assert np.array_equal(np.asarray(generate(wanted, pipeline=pipeline).images[0]), before)


def test_it_yields_when_asked(tiny_folder, pictures, tmp_path):
    spec = plan(tiny_folder("sd1"), pictures, "sd1")
    told = []
    assert not train_slice(spec, tmp_path, told.append, seconds=600, should_yield=lambda: True)
    assert len({step.index for step in told}) == 2  # 0 while it is being drawn, 1 when it is
    assert Image.open(tmp_path / "data/class-0000.png").size == (64, 64)


def test_other_pictures_are_prepared_anew(tiny_folder, tmp_path):
    pictures = draw_pictures(tmp_path / "cups")
    spec = plan(tiny_folder("sd1"), pictures, "sd1", "embedding", steps=1, decay=0)
    assert train_slice(spec, tmp_path / "run", seconds=600)
    made = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "run/data").glob("0*.safetensors")}
    assert not train_slice(replace(spec, steps=3), tmp_path / "run", seconds=0)
    assert made == {file.name: file.stat().st_mtime_ns for file in (tmp_path / "run/data").glob("0*.safetensors")}
    lines = (pictures / "metadata.jsonl").read_text().splitlines()[:2]
    (pictures / "metadata.jsonl").write_text("\n".join(lines))
    assert train_slice(replace(spec, steps=3), tmp_path / "run", seconds=600)
    assert len(list((tmp_path / "run/data").glob("0*.safetensors"))) == 2


def test_another_family_than_planned_is_refused_before_anything(tiny_folder, pictures, tmp_path):
    with pytest.raises(SpecError, match="planned for sdxl"):
        train_slice(plan(tiny_folder("sd1"), pictures, "sdxl"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_word_that_the_model_knows_is_refused(tiny_folder, pictures, tmp_path):
    spec = plan(tiny_folder("sd1"), pictures, "sd1", "embedding", word="a")
    with pytest.raises(SpecError, match="knows the word"):
        train_slice(spec, tmp_path)
