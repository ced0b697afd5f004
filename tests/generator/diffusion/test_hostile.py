"""Broken and hostile files of weights: each is a clear error within a second, and nothing of it is run or left."""

import json
import shutil
from time import thread_time

import pytest
import torch
from safetensors.torch import save_file

from generator.diffusion import checkpoints, pipelines, weights
from generator.diffusion.spec import CheckpointError
from tests.generator.diffusion.hostile import FILES


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A checkpoint to be tampered with."""
    return shutil.copytree(tiny_folder("sd1"), tmp_path / "model")


def _refused(source: object, match: str) -> None:
    started = thread_time()
    with pytest.raises(CheckpointError, match=match):
        pipelines.load(str(source))
    assert thread_time() - started < 1


@pytest.mark.parametrize("name", FILES)
def test_a_single_file_is_refused(tmp_path, name):
    make, says = FILES[name]
    make(tmp_path / "model.safetensors")
    _refused(tmp_path / "model.safetensors", says)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_file_that_claims_a_terabyte_pushes_no_model_out(tiny_folder, tmp_path):
    pipelines.load(tiny_folder("sd1"))
    make, _says = FILES["a sparse terabyte"]
    make(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError):
        pipelines.load(str(tmp_path / "model.safetensors"))
    assert pipelines.warm()[-1] == tiny_folder("sd1")


@pytest.mark.parametrize("name", ["pickle", "outside the file", "a sparse terabyte", "NaN"])
def test_a_part_of_a_folder_is_refused(folder, name):
    make, says = FILES[name]
    make(folder / "vae/diffusion_pytorch_model.safetensors")
    _refused(folder, says)


def test_a_whole_file_tells_what_is_in_it(tmp_path):
    file = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(2, 3), "n": torch.tensor([1])}, file, metadata={"modelspec.title": "A"})
    header = weights.read_header(file)
    assert header.metadata == {"modelspec.title": "A"}
    assert {name: tensor.shape for name, tensor in header.tensors.items()} == {"a": (2, 3), "n": (1,)}
    checkpoints.check_file(file)


def test_a_file_that_was_replaced_is_looked_at_again(tmp_path):
    file = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(2)}, file)
    checkpoints.check_file(file)
    save_file({"a": torch.tensor([1.0, 2.0, float("nan")])}, file)
    with pytest.raises(CheckpointError, match="no numbers"):
        checkpoints.check_file(file)


def test_links_to_elsewhere_are_refused(folder, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (folder / "unet/notes.json").symlink_to(secret)
    _refused(folder, "links to a file elsewhere")


def test_links_of_the_hubs_own_cache_are_followed(folder, tmp_path):
    cache = tmp_path / "models--tiny"
    shutil.move(folder, cache / "snapshots/abc")
    (cache / "blobs").mkdir()
    unet = cache / "snapshots/abc/unet/diffusion_pytorch_model.safetensors"
    shutil.move(unet, cache / "blobs/123")
    unet.symlink_to("../../../blobs/123")
    assert checkpoints.check_folder(cache / "snapshots/abc") == "StableDiffusionPipeline"


@pytest.mark.parametrize("key", ["auto_map", "custom_pipeline"])
def test_an_index_that_asks_for_code_is_refused(folder, key):
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {key: "mine.Mine"}))
    _refused(folder, "brings its own code")


@pytest.mark.parametrize("where", ["pipeline.py", "unet/unet.py", "deep/er/Mine.PY"])
def test_code_anywhere_is_refused(folder, where):
    (folder / where).parent.mkdir(parents=True, exist_ok=True)
    (folder / where).write_text("raise SystemExit")
    _refused(folder, "brings its own code")


def test_shards_elsewhere_are_refused(folder):
    index = folder / "unet/diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../../secret.safetensors"}}))
    _refused(folder, "names a file elsewhere")


@pytest.mark.parametrize(
    ("part", "setting"),
    [("unet", {"cross_attention_dim": 2**40}), ("text_encoder", {"num_hidden_layers": 10**6})],
)
def test_an_absurd_model_is_refused_before_it_is_built(folder, part, setting):
    config = folder / part / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | setting))
    _refused(folder, f"absurd {part}")
