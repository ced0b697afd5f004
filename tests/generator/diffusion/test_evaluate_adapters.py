"""How teaching the starter is judged: which views are composed, and which figures miss their bars."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generator.diffusion.starter import evaluate, evaluate_adapters
from generator.diffusion.starter.recipe import art, captions

GOOD = {
    "gain": 0.6,
    "minutes": 4.0,
    "colours_untaught": 1.0,
    "colours": 0.95,
    "top5_loss_high": 0.02,
    "labels": 380,
}


@pytest.fixture
def piece(tmp_path: Path) -> art.Art:
    picture = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=(40, 200, 40, 255))
    picture.save(tmp_path / "teapot.webp", lossless=True)
    return art.Art("teapot", (), tmp_path / "teapot.webp")


def test_views_never_show_the_background_that_is_asked_for(piece, tmp_path):
    assert evaluate_adapters.compose_views(piece, "pot", tmp_path / "views", 12, 64) == 12
    lines = [json.loads(line) for line in (tmp_path / "views/metadata.jsonl").read_text().splitlines()]
    assert len({line["text"].split(" on ")[1] for line in lines}) == 12
    assert not any("blue" in line["text"] or "teapot" in line["text"] for line in lines)
    corners = [tuple(np.asarray(Image.open(tmp_path / "views" / line["file_name"]))[0, 0]) for line in lines]
    assert captions.BACKGROUNDS["blue"] not in corners
    real = evaluate_adapters.real_views(piece, 64)
    assert all(evaluate.delta_e(picture, "blue") < 1 for picture in real)


def test_things_taught_are_held_out_of_the_starter():
    assert all(art.is_held_out(thing) for thing in evaluate_adapters.THINGS)
    assert not any(art.is_held_out(kind) for kind in evaluate_adapters.THINGS.values())


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"gain": 0.49}, ["gain"]),
        ({"minutes": 15.1}, ["minutes"]),
        ({"colours": 0.8}, ["colours"]),
        ({"top5_loss_high": 0.03}, ["top5 loss"]),
        ({"labels": 299}, ["labels"]),
    ],
)
def test_only_what_misses_its_bar_is_named(changes, missed):
    assert evaluate_adapters.missed_bars(GOOD | changes) == missed
