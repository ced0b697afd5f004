"""A checkpoint can run no code: each way in is tried, and must be refused before it is opened."""

import json
import pickle
import shutil

import pytest

from generator.diffusion import pipelines
from generator.diffusion.spec import CheckpointError


class Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (str(self.witness), "w"))


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A checkpoint to be tampered with."""
    return shutil.copytree(tiny_folder("sd1"), tmp_path / "model")


@pytest.fixture
def bomb(tmp_path):
    """Bytes that must never be unpickled."""
    yield pickle.dumps(Bomb(tmp_path / "exploded"))
    assert not (tmp_path / "exploded").exists()


def edit(path, **changes):
    """Changes settings in a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "model.PTH", "model.bin"])
def test_a_pickle_is_refused_by_name(tmp_path, bomb, name):
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises(CheckpointError, match="pickled code and is never loaded"):
        pipelines.load(str(tmp_path / name))


def test_a_pickle_is_refused_under_a_false_name(tmp_path, bomb):
    (tmp_path / "model.safetensors").write_bytes(bomb)
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        pipelines.load(str(tmp_path / "model.safetensors"))


def test_a_pickle_is_refused_inside_a_folder(folder, bomb):
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(bomb)
    with pytest.raises(CheckpointError, match=r"holds its unet as diffusion_pytorch_model\.bin"):
        pipelines.load(str(folder))


def test_a_pickle_is_refused_inside_a_folder_under_a_false_name(folder, bomb):
    (folder / "vae/diffusion_pytorch_model.safetensors").write_bytes(bomb)
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        pipelines.load(str(folder))


@pytest.mark.parametrize("module", ["subprocess", "os", "pathlib", "generator.services", "..", "TYPE_CHECKING"])
def test_foreign_modules_are_refused(folder, module):
    edit(folder / "model_index.json", vae=[module, "Popen"])
    with pytest.raises(CheckpointError, match="names code outside diffusers and transformers for its vae"):
        pipelines.load(str(folder))


@pytest.mark.parametrize("class_name", ["NoSuchPipeline", "UNet2DConditionModel", "logging", ["mine.py", "Mine"], None])
def test_foreign_pipelines_are_refused(folder, class_name):
    edit(folder / "model_index.json", _class_name=class_name)
    with pytest.raises(CheckpointError, match="asks for the pipeline"):
        pipelines.load(str(folder))


def test_code_in_the_folder_is_refused(folder, tmp_path):
    witness = tmp_path / "exploded"
    (folder / "unet/diffusers.py").write_text(f"open({str(witness)!r}, 'w')\nclass UNet2DConditionModel: ...\n")
    with pytest.raises(CheckpointError):
        pipelines.load(str(folder))
    assert not witness.exists()


def test_remote_code_of_transformers_is_refused(folder):
    edit(folder / "text_encoder/config.json", auto_map={"AutoModel": "mine.Mine"})
    with pytest.raises(CheckpointError, match="brings its own code for its text_encoder"):
        pipelines.load(str(folder))


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_a_broken_index_is_refused(folder, content):
    (folder / "model_index.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(CheckpointError, match="cannot be read"):
        pipelines.load(str(folder))


def test_a_folder_of_anything_else_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a diffusers folder"):
        pipelines.load(str(tmp_path))


def test_weights_that_do_not_fit_are_refused(folder):
    edit(folder / "unet/config.json", cross_attention_dim=48)
    with pytest.raises(CheckpointError, match="could not be loaded"):
        pipelines.load(str(folder))
