"""The starter's recipe on drawn art: what is composed, what is held out, what evaluation asks and measures."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from generator.diffusion.starter import evaluate, recogniser
from generator.diffusion.starter.card import read_concepts
from generator.diffusion.starter.recipe import __main__ as recipe
from generator.diffusion.starter.recipe import art, compose

LABELS = ("red apple", "rocket", "trophy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Art of three things, one of them held out, laid out as npm unpacks it."""
    entries = []
    for number, label in enumerate(LABELS):
        code = f"1F34{number}-FE0F"
        entries.append({"label": label, "hexcode": code, "tags": ["thing", "golden trophy"]})
        picture = Image.new("RGBA", (64, 64))
        ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=(255 * (number == 0), 200 * (number > 0), 40, 255))
        target = tmp_path / art.PICTURES / f"{code.lower()}.webp"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, lossless=True)
    (tmp_path / art.NAMES).parent.mkdir(parents=True)
    (tmp_path / art.NAMES).write_text(json.dumps(entries))
    return tmp_path


def test_what_is_held_out_never_comes_in_neither_as_a_thing_nor_as_a_synonym(folder: Path):
    pieces = art.read(folder, list(LABELS))
    assert [piece.label for piece in pieces] == ["red apple", "rocket"]
    assert {synonym for piece in pieces for synonym in piece.synonyms} == {"thing"}
    assert not any(art.is_held_out(label) for label in read_concepts())


def test_what_is_there_is_not_fetched_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    art.fetch(folder)
    with pytest.raises(art.ArtError, match="npm"):
        art.fetch(folder / "elsewhere")


def test_an_unknown_label_is_named(folder: Path):
    with pytest.raises(art.ArtError, match="no “pear”"):
        art.read(folder, ["pear"])


def test_art_is_laid_on_the_colour_that_the_caption_names(folder: Path):
    piece = art.read(folder, ["rocket"])[0]
    made = compose.compose(piece, Image.open(piece.path), "navy blue", random.Random(0), 48)
    assert made.pixels.shape == (48, 48, 3)
    assert tuple(made.pixels[0, 0]) == compose.BACKGROUNDS["navy blue"]
    assert made.caption.endswith("on a navy blue background")
    assert evaluate.delta_e(Image.fromarray(made.pixels), "navy blue") == 0


def test_captions_hold_the_name_and_one_time_in_five_a_synonym(folder: Path):
    piece = art.read(folder, ["rocket"])[0]
    captions = [compose.caption(piece, "orange", random.Random(seed)) for seed in range(500)]
    assert 0.12 < sum("thing" in caption for caption in captions) / 500 < 0.28
    assert all(caption.endswith("on an orange background") for caption in captions)


def test_some_combinations_are_never_composed_and_evaluation_asks_for_them_apart(folder: Path):
    pieces = art.read(folder, ["red apple", "rocket"])
    made = [caption for _, caption in recipe.composed(pieces)]
    assert len(made) == 2 * (len(compose.BACKGROUNDS) - compose.UNSEEN_BACKGROUNDS) * recipe.VARIANTS
    backgrounds = {caption.rsplit(" on ", 1)[1] for caption in made[: len(made) // 2]}
    for one in evaluate.prompts(pieces)[:2]:
        assert (one.prompt.rsplit(" on ", 1)[1] in backgrounds) == one.seen


def test_pairs_places_and_colours_are_as_the_caption_says(folder: Path):
    apple, rocket = art.read(folder, ["red apple", "rocket"])
    red, green = (Image.open(piece.path).convert("RGBA") for piece in (apple, rocket))
    rng = random.Random(0)
    pair = compose.compose_pair((apple, rocket), (red, green), "white", rng, 64)
    assert "a red apple and a rocket side by side on a white background" in pair.caption
    assert pair.pixels[32, 17].argmax() == 0
    assert pair.pixels[32, 47].argmax() == 1
    for _ in range(8):
        placed = compose.compose_placed(apple, red, "white", rng, 64)
        across, down = next(middle for place, middle in compose.PLACES.items() if place in placed.caption)
        assert placed.pixels[int(64 * down), int(64 * across)].tolist() != [255, 255, 255]
        assert placed.pixels[int(64 * (1 - down)), int(64 * (1 - across))].tolist() == [255, 255, 255]
        recoloured = compose.compose_recoloured(rocket, green, "white", rng, 64)
        colour = next(name for name in compose.HUES if f"{compose.with_article(name)} rocket" in recoloured.caption)
        found = compose.find_hue(Image.fromarray(recoloured.pixels[24:40, 24:40]).convert("RGBA"))
        assert abs((found - compose.HUES[colour] + 180) % 360 - 180) < 8


def test_a_thing_of_many_colours_or_none_is_not_recoloured(folder: Path):
    piece = art.read(folder, ["rocket"])[0]
    grey, mixed = Image.new("RGBA", (8, 8), "gray"), Image.new("RGBA", (8, 8), "red")
    mixed.paste("cyan", (0, 0, 8, 4))
    assert compose.compose_recoloured(art.read(folder, ["red apple"])[0], mixed, "white", random.Random(0), 16) is None
    assert compose.find_hue(grey) is None
    assert compose.find_hue(mixed) is None
    assert compose.compose_recoloured(piece, grey, "white", random.Random(0), 16) is None


def test_colours_are_compared_as_people_see_them():
    # Reference values of CIE L*a*b* under D65.
    assert evaluate.to_lab(np.array([255.0, 0, 0])) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert evaluate.to_lab(np.array([255.0, 255, 255])) == pytest.approx([100, 0, 0], abs=0.05)
    assert evaluate.delta_e(Image.new("RGB", (64, 64), (255, 255, 255)), "white") < 1
    assert evaluate.delta_e(Image.new("RGB", (64, 64), (255, 255, 255)), "navy blue") > 60


def test_the_recogniser_learns_to_name_real_art():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 90)
    pixels = np.full((90, recogniser.SIZE, recogniser.SIZE, 3), 255, np.uint8)
    for place, label in enumerate(labels):
        pixels[place, 10 : 20 + 6 * (label % 3), 10:50] = (200, 20, 20) if label < 3 else (20, 20, 200)
    judge = recogniser.train(pixels[:60], labels[:60], steps=40)
    best, looks = recogniser.recognise(judge, recogniser.to_tensor(pixels[60:]))
    assert (best[:, 0] == torch.from_numpy(labels[60:])).float().mean() > 0.8
    torch.testing.assert_close(looks.norm(dim=1), torch.ones(30))
    assert recogniser.look([Image.new("RGB", (128, 128))]).shape == (1, 3, recogniser.SIZE, recogniser.SIZE)


def test_only_what_misses_its_bar_is_named():
    good = {"top1": 0.5, "top5": 0.8, "background": 0.95, "recogniser_top1": 0.9, "labels": 380}
    report = {**good, "top5_seen": 0.82, "top5_unseen": 0.78}
    assert evaluate.missed_bars(report) == []
    assert evaluate.missed_bars({**report, "top1": 0.4, "labels": 20}) == ["top1", "labels"]
    assert evaluate.missed_bars({**report, "top5_unseen": 0.6}) == ["unseen combinations"]
