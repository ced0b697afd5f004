"""Every way in which people keep pictures with captions, and what is said of a broken one."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from generator.diffusion.train import data

COLOURS = {"red.png": (255, 0, 0), "blue.png": (0, 0, 255)}
CAPTIONS = {"red.png": "a red square", "blue.png": "a blue square"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in COLOURS.items():
        Image.new("RGB", (20, 30), colour).save(tmp_path / name)
    return tmp_path


def write_lines(folder: Path) -> None:
    rows = [json.dumps({"file_name": name, "text": text}) for name, text in CAPTIONS.items()]
    (folder / "metadata.jsonl").write_text("\n".join(rows))


def write_csv(folder: Path) -> None:
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file_name", "caption"), *CAPTIONS.items()])


def write_sidecars(folder: Path) -> None:
    for name, text in CAPTIONS.items():
        (folder / name).with_suffix(".txt").write_text(text + "\n")


def write_parquet(folder: Path) -> None:
    images = [{"bytes": (folder / name).read_bytes(), "path": name} for name in CAPTIONS]
    table = pyarrow.table({"image": images, "text": list(CAPTIONS.values())})
    pyarrow.parquet.write_table(table, folder / "train.parquet")


@pytest.mark.parametrize("write", [write_lines, write_csv, write_sidecars, write_parquet])
def test_tables_and_sidecars(folder: Path, write: Callable[[Path], None]):
    write(folder)
    read = {example.caption: example.open_picture() for example in data.read_folder(folder)}
    assert {caption: picture.getpixel((0, 0)) for caption, picture in read.items()} == {
        CAPTIONS[name]: COLOURS[name] for name in COLOURS
    }


def test_class_folders_become_captions(folder: Path):
    (folder / "blue_things").mkdir()
    (folder / "blue.png").rename(folder / "blue_things/blue.png")
    assert {example.name: example.caption for example in data.read_folder(folder)} == {
        "blue_things/blue.png": "blue things",
        "red.png": "",
    }


def test_alpha_is_laid_on_white_and_pictures_are_turned_upright(tmp_path: Path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert data.open_rgb(tmp_path / "clear.png", "clear.png").getpixel((0, 0)) == (255, 255, 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    Image.new("RGB", (8, 4)).save(tmp_path / "turned.jpg", exif=exif)
    assert data.open_rgb(tmp_path / "turned.jpg", "turned.jpg").size == (4, 8)


def test_pictures_are_cropped_to_their_middle_square(folder: Path):
    pixels, caption = next(data.stream(data.read_folder(folder), 16))
    assert (pixels.shape, pixels.dtype, caption) == ((16, 16, 3), np.uint8, "")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metadata.jsonl", "{not json", "line 1: not JSON"),
        ("metadata.jsonl", "[1]", "line 1: not an object"),
        ("metadata.jsonl", '{"text": "a"}', "row 1: no picture"),
        ("metadata.jsonl", '{"file_name": "../secret.png"}', "lies outside the folder"),
        ("metadata.csv", "file_name,text\n/etc/passwd,a\n", "lies outside the folder"),
        ("data.parquet", "PAR?", "parquet"),
    ],
)
def test_broken_tables_are_refused_by_name(folder: Path, name: str, content: str, said: str):
    (folder / name).write_text(content)
    with pytest.raises(data.DataError, match=said):
        data.read_folder(folder)


def test_missing_and_broken_pictures_are_named(folder: Path):
    (folder / "metadata.jsonl").write_text('{"file_name": "gone.png"}\n{"file_name": "broken.png"}')
    (folder / "broken.png").write_bytes(b"no picture")
    gone, broken = data.read_folder(folder)
    with pytest.raises(data.DataError, match=r"gone\.png.* is missing"):
        gone.open_picture()
    with pytest.raises(data.DataError, match=r"broken\.png.* not a picture"):
        broken.open_picture()


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(data.DataError, match="no pictures"):
        data.read_folder(tmp_path)
    with pytest.raises(data.DataError, match="no folder"):
        data.read_folder(tmp_path / "nowhere")


def test_the_fingerprint_follows_pictures_and_captions(folder: Path):
    before = data.fingerprint(data.read_folder(folder))
    assert data.fingerprint(data.read_folder(folder)) == before
    write_sidecars(folder)
    assert data.fingerprint(data.read_folder(folder)) != before


def test_split_keeps_both_sides_apart_and_is_always_the_same():
    train, held_out = data.split(50, 0.1, seed=1)
    assert (len(train), len(held_out)) == (45, 5)
    assert not set(train) & set(held_out)
    assert data.split(50, 0.1, seed=1)[1].tolist() == held_out.tolist()


def test_every_picture_is_seen_once_each_time_round():
    once = np.concatenate([data.in_order(index, 4, 10, seed=0) for index in range(5)])
    assert sorted(once[:10]) == sorted(once[10:]) == list(range(10))
    assert once[:10].tolist() != once[10:].tolist()
