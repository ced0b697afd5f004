"""A model from scratch in slices: killed and gone on with it is the same one, and each of its points can be taken."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from generator.diffusion import pipelines
from generator.diffusion.spec import Cancelled, SpecError
from generator.diffusion.starter.assemble import assemble
from generator.diffusion.train import cache, points, scratch, scratch_spec


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Red discs and blue ones."""
    folder = tmp_path_factory.mktemp("discs")
    lines = []
    for number in range(30):
        kind = "red" if number % 2 else "blue"
        picture = np.full((80, 80, 3), 250, np.uint8)
        y, x = np.ogrid[:80, :80]
        inside = (y - 30 - number % 7) ** 2 + (x - 40 + number % 5) ** 2 < (10 + number % 11) ** 2
        picture[inside] = (220, 30, 30) if kind == "red" else (30, 30, 220)
        Image.fromarray(picture).save(folder / f"{number:03}.png")
        lines.append(json.dumps({"file_name": f"{number:03}.png", "text": f"a {kind} disc"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def spec(data, tmp_path_factory) -> scratch_spec.ScratchSpec:
    words = assemble(tmp_path_factory.mktemp("models") / "starter")
    few = {"autoencoder_steps": 6, "steps": 6, "batch": 4, "points": 2, "save_every": 2, "widths": (16, 32)}
    return scratch_spec.make(str(words), str(data), count=30, name="Discs", samples=("a red disc",), **few)


@pytest.fixture(scope="module")
def calm(spec, tmp_path_factory) -> Path:
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    told = []
    assert scratch.train_slice(spec, folder, lambda step: told.append((step.index, step.loss is None)))
    assert told == [*((n, False) for n in range(1, 7)), (6, True), *((n, False) for n in range(7, 13))]
    return folder


def test_slices_and_kills_make_the_undisturbed_model(spec, calm, tmp_path):
    class Kill(BaseException):
        pass

    told, slices = [], 0

    def on_step(step):
        told.append(step.index)
        if len(told) in (4, 9, 13):
            raise Kill

    is_whole = False
    while not is_whole:
        slices += 1
        assert slices < 40
        with contextlib.suppress(Kill):
            is_whole = scratch.train_slice(spec, tmp_path, on_step, seconds=0)
    assert slices > 8
    mine, theirs = (load_file(run / "model/unet/diffusion_pytorch_model.safetensors") for run in (calm, tmp_path))
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-5)


def test_points_hold_what_can_be_taken(spec, calm):
    kept = points.read(calm / "points")
    assert [point.step for point in kept] == [3, 6]
    assert all(point.measures.validation > 0 and 0 <= point.measures.nearest <= 256 for point in kept)
    assert [len(point.samples) for point in kept] == [1, 1]
    last = load_file(kept[-1].folder / "unet/diffusion_pytorch_model.safetensors")
    whole = load_file(calm / "model/unet/diffusion_pytorch_model.safetensors")
    assert all(torch.equal(tensor, whole[name]) for name, tensor in last.items())
    pipeline = pipelines.load(str(calm / "model"))
    drawn = pipeline("a red disc", width=64, height=64, num_inference_steps=2).images
    assert drawn[0].size == (64, 64)


def test_whoever_cancels_loses_nothing(spec, tmp_path):
    def stop(step):
        if step.index == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        scratch.train_slice(spec, tmp_path, stop)
    told = []
    assert scratch.train_slice(spec, tmp_path, lambda step: told.append(step.index))
    assert told[0] == 5


@pytest.mark.parametrize("wrong", [{"size": 96}, {"steps": 0}, {"learning_rate": 0}, {"points": 0}, {"seed": -1}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SpecError):
        scratch_spec.make("x", "y", count=30, name="N", **wrong)


def test_more_pictures_are_given_more_steps():
    few, many = (scratch_spec.make("x", "y", count=count, name="N") for count in (50, 8000))
    assert (few.steps, few.batch) == (1500, 12)
    assert (many.steps, many.batch) == (20_000, 24)


def test_a_cache_that_was_broken_off_goes_on_where_it_was(tmp_path):
    encoded: list[int] = []

    class Enough(Exception):  # noqa: N818
        pass

    def encode(tensor: torch.Tensor) -> torch.Tensor:
        encoded.append(len(tensor))
        return tensor[:, :1, :2, :2]

    def build(on_batch) -> cache.Cache:
        pictures = ((np.full((8, 8, 3), place, np.uint8), f"{place % 3}") for place in range(70))
        return cache.build(tmp_path, "k", pictures, 70, encode, lambda texts: torch.zeros(len(texts), 2, 3), on_batch)

    def stop() -> None:
        raise Enough

    with pytest.raises(Enough):
        build(stop)
    found = build(lambda: None)
    assert encoded == [32, 32, 6]
    assert len(found) == 70
    assert [found.captions[place] for place in found.caption_of[:4]] == ["0", "1", "2", "0"]
    assert float(found.latents[69, 0, 0, 0]) == pytest.approx(69 / 127.5 - 1, abs=1e-3)
