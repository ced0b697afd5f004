"""python -m generator.diffusion sample, as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from generator.diffusion.__main__ import main


def run(*arguments, home):
    """Runs the command line in a folder of its own."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "generator.diffusion", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def test_it_samples_from_the_starter(tmp_path):
    film = ["--filmstrip", "film.png", "--count", "2", "--steps", "3", "--seed", "7"]
    done = run("sample", "a red apple, 3d icon", "-o", "apple.png", *film, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for line in ("cpu, float32", "step 3 of 3", "apple-1.png, apple-2.png: seed 7, 8, dpmpp_2m"):
        assert line in done.stderr or "cuda" in done.stderr
    assert Image.open(tmp_path / "apple-2.png").size == (128, 128)
    assert Image.open(tmp_path / "film.png").size == (3 * 128, 2 * 128)
    assert (tmp_path / "var/models/starter/model_index.json").exists()


def test_it_samples_from_any_checkpoint(tmp_path, tiny_folder):
    checkpoint = ["--checkpoint", str(tiny_folder("sd1")), "--scheduler", "heun", "--negative-prompt", "blue"]
    size = ["--width", "48", "--height", "32", "--guidance", "5", "--steps", "2", "--seed", "1"]
    done = run("sample", "a red apple", "-o", "apple.webp", *checkpoint, *size, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "apple.webp").size == (48, 32)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.png", "--steps", "0"], "The number of steps must be between 1 and 150, not 0."),
        (["-o", "a.docx"], "“a.docx” is no picture file"),
        (["-o", "nowhere/a.png"], "There is no folder “nowhere”."),
        (["-o", "a.png", "--checkpoint", "nothing"], "There is no checkpoint at “nothing”."),
        (["-o", "a.png", "--scheduler", "heun"], "The scheduler “Heun” does not suit this model."),
        (["-o", "a.png", "--home", "file"], "Not a directory"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["sample", "a red apple", *arguments]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    last = told.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert words in last


@pytest.mark.parametrize(
    "arguments", [[], ["sample", "apple"], ["sample", "apple", "-o", "a.png", "--scheduler", "x"], ["paint"]]
)
def test_wrong_usage_has_its_own_code(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m generator.diffusion" in capsys.readouterr().err
