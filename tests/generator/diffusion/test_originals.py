"""Single files with the originals' names: what a folder's pipeline is, and what a file lacks from its folder."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageChops
from safetensors.torch import load_file, save_file

from generator.diffusion import checkpoints, pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import CheckpointError
from tests.generator.diffusion.original import narrow_flux, save_original
from tests.generator.diffusion.ways import table


@pytest.fixture(autouse=True)
def _cold():
    pipelines.unload()


@pytest.fixture
def original(tiny_folder, tmp_path, monkeypatch):
    """family -> its single file, with its configuration beside it."""
    narrow_flux(monkeypatch)

    def original(family: str) -> Path:
        save_original(family, tiny_folder(family), tmp_path / "apple.safetensors")
        return tmp_path / "apple.safetensors"

    return original


def without(file: Path, *beginnings: str) -> None:
    """Takes tensors out of a file."""
    kept = {name: tensor.clone() for name, tensor in load_file(file).items() if not name.startswith(beginnings)}
    save_file(kept, file)


def assert_alike(one: Image.Image, other: Image.Image) -> None:
    """Within one of 255: sums of the same weights come out in another order where they lie otherwise in memory."""
    difference = ImageChops.difference(one, other)
    assert max(most for _least, most in difference.getextrema()) <= 1


@pytest.mark.parametrize("family", table.FROM_FILE)
def test_a_single_file_is_what_its_folder_is(original, family, tiny_folder, spec_for, offline):
    file = original(family)
    of_file, of_folder = pipelines.load(str(file)), pipelines.load(str(tiny_folder(family)))
    assert type(of_file) is type(of_folder)
    parts = {name: part for name, part in of_folder.components.items() if isinstance(part, torch.nn.Module)}
    assert len(parts) >= 3
    for name, part in parts.items():
        expected, got = part.state_dict(), getattr(of_file, name).state_dict()
        assert expected.keys() == got.keys()
        assert [key for key, tensor in expected.items() if not torch.equal(tensor, got[key])] == []
    assert_alike(*(generate(spec_for(source)).images[0] for source in (file, tiny_folder(family))))


@pytest.mark.parametrize("family", table.NO_FILE)
def test_what_cannot_be_read_from_one_file_ends_in_a_sentence(original, family):
    with pytest.raises(CheckpointError, match=table.NO_FILE[family]):
        pipelines.load(str(original(family)))


def test_a_file_takes_what_it_lacks_from_its_folder(original, tiny_folder, spec_for, offline):
    file = original("sd3")
    without(file, "text_encoders.clip_g.", "first_stage_model.")
    for part in ("text_encoder_2", "vae"):
        shutil.copytree(tiny_folder("sd3") / part, file.with_suffix("") / part, dirs_exist_ok=True)
    assert_alike(*(generate(spec_for(source)).images[0] for source in (file, tiny_folder("sd3"))))
    taken = [*file.parent.rglob("*.safetensors")]
    assert len(taken) == 3
    assert checkpoints.size_of(str(file)) == sum(path.stat().st_size for path in taken)


def test_what_is_in_neither_is_named_with_the_folder_it_goes_to(original):
    file = original("sd3")
    without(file, "text_encoders.clip_g.", "first_stage_model.")
    with pytest.raises(CheckpointError, match=r"holds no vae and no text_encoder_2, .* folder in “.*apple”"):
        pipelines.load(str(file))


def test_a_file_that_lacks_a_weight_says_so(original):
    file = original("qwen")
    without(file, "model.diffusion_model.proj_out.bias")
    with pytest.raises(CheckpointError, match="lacks weights that its configuration asks for"):
        pipelines.load(str(file))


def test_a_single_file_without_configuration_says_what_it_needs(original, offline):
    file = original("sd1")
    shutil.rmtree(file.with_suffix(""))
    with pytest.raises(CheckpointError, match=r"Put its diffusers configuration into the folder “.*apple”"):
        pipelines.load(str(file))


def test_nothing_but_a_transformer_needs_its_whole_folder(original, tmp_path, monkeypatch):
    file = original("flux")
    index = json.loads((file.with_suffix("") / "model_index.json").read_text())
    shutil.rmtree(file.with_suffix(""))
    monkeypatch.setattr(checkpoints.DiffusionPipeline, "load_config", lambda hub_id: index)  # as the hub has it
    with pytest.raises(
        CheckpointError, match=r"looks like black-forest-labs/FLUX.1-dev, but holds no vae and no text_"
    ):
        pipelines.load(str(file))
