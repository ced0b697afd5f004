"""The command `train` with --subject or --style: from pictures to a file, or a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file

from generator.diffusion import __main__
from generator.diffusion.train import points
from tests.generator.diffusion.train.taught import draw_pictures


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return draw_pictures(tmp_path / "cups")


@pytest.mark.parametrize(
    ("flags", "file", "word"),
    [
        (["--subject", "cup", "--rank", "2"], "lora.safetensors", "ourcup cup"),
        (["--style", "--method", "embedding", "--vectors", "3"], "embedding.safetensors", "my-ourcup"),
    ],
)
def test_it_teaches_and_names_the_file(tiny_folder, pictures, tmp_path, capsys, flags, file, word, monkeypatch):
    monkeypatch.setattr("generator.diffusion.train.planning.SAMPLED", 2)
    monkeypatch.setattr("generator.diffusion.train.planning.MAX_PRIOR", 2)
    monkeypatch.setattr("generator.diffusion.train.planning.MIN_PRIOR", 1)
    command = ["train", str(pictures), "-o", str(tmp_path / "run"), "--checkpoint", str(tiny_folder("sd1"))]
    command += ["--name", "Our cup", "--size", "64", "--steps", "2", "--batch", "1", "--home", str(tmp_path), *flags]
    assert __main__.main(command) == 0
    told = capsys.readouterr()
    written = Path(told.out.strip())
    assert written.name == file
    assert written.parent.parent == tmp_path / "run/points"
    assert f"“{word}”" in told.err
    assert load_file(written)
    assert [point.step for point in points.read(tmp_path / "run/points")] == [0, 1, 2]


def test_pictures_that_are_not_fit_are_named_before_anything_is_trained(tiny_folder, tmp_path, capsys):
    folder = tmp_path / "bad"
    folder.mkdir()
    Image.new("RGB", (80, 80)).save(folder / "black.png")
    (folder / "broken.png").write_bytes(b"nothing")
    command = ["train", str(folder), "-o", str(tmp_path / "run"), "--checkpoint", str(tiny_folder("sd1"))]
    command += ["--name", "Our cup", "--subject", "cup", "--size", "64", "--home", str(tmp_path)]
    assert __main__.main(command) == 1
    told = capsys.readouterr().err
    assert "black.png: This picture is all black" in told
    assert "broken.png: This file is no picture" in told
    assert "not fit" in told
    assert not (tmp_path / "run").exists()


def test_a_name_is_asked_for(pictures, tmp_path, capsys):
    assert __main__.main(["train", str(pictures), "-o", str(tmp_path / "run"), "--style"]) == 1
    assert "--name" in capsys.readouterr().err
