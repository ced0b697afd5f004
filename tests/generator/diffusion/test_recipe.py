"""The starter's recipe on drawn art: what is painted, what is held out, what evaluation asks and measures."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from generator.diffusion import pipelines
from generator.diffusion.starter import evaluate, real, recogniser
from generator.diffusion.starter.card import read_concepts
from generator.diffusion.starter.recipe import art, captions, compose, scenes, stage, training
from generator.diffusion.train import denoiser, loop

LABELS = ("red apple", "rocket", "trophy")
SIZE = 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Art of three things in four styles, one of the things held out, laid out as npm unpacks it."""
    entries, chars, icons = [], {}, {}
    for number, label in enumerate(LABELS):
        code = f"1F34{number}-FE0F"
        entries.append({"label": label, "hexcode": code, "tags": ["thing", "golden trophy"]})
        picture = Image.new("RGBA", (64, 64))
        ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=(255 * (number == 0), 200 * (number > 0), 40, 255))
        target = tmp_path / art.PICTURES / f"{code.lower()}.webp"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, lossless=True)
        chars[f"1f34{number}"] = label
        icons[label] = {"body": f'<rect x="2" y="2" width="28" height="28" fill="{("#f00", "#0c0", "#00f")[number]}"/>'}
    (tmp_path / art.NAMES).parent.mkdir(parents=True)
    (tmp_path / art.NAMES).write_text(json.dumps(entries))
    for package in art.VECTORS.values():
        (tmp_path / package).mkdir()
        (tmp_path / package / "icons.json").write_text(json.dumps({"icons": icons, "width": 32, "height": 32}))
        (tmp_path / package / "chars.json").write_text(json.dumps(chars))
    return tmp_path


@pytest.fixture
def everything(folder: Path) -> scenes.Set:
    return scenes.collect(art.read(folder, list(LABELS), art.STYLES), SIZE)


def paint(everything: scenes.Set, told: list[scenes.Scene]) -> np.ndarray:
    """[N, SIZE, SIZE, 3] uint8."""
    painted = stage.paint_all(stage.build(everything, SIZE), told, torch.Generator().manual_seed(0))
    return np.stack([np.asarray(picture, int) for picture in stage.to_pictures(painted)])


def test_what_is_held_out_never_comes_in_neither_as_a_thing_nor_as_a_synonym(folder: Path):
    pieces = art.read(folder, list(LABELS), art.STYLES)
    assert [piece.label for piece in pieces] == ["red apple", "rocket"] * len(art.STYLES)
    assert {synonym for piece in pieces for synonym in piece.synonyms} == {"thing"}
    assert not any(art.is_held_out(label) for label in read_concepts())


def test_vectors_are_drawn_as_they_say(folder: Path):
    pieces = art.read(folder, ["rocket"], ("flat", "minimal"))
    assert [piece.style for piece in pieces] == ["flat", "minimal"]
    picture = pieces[0].open()
    assert picture.size == (art.SIDE, art.SIDE)
    assert picture.getpixel((art.SIDE // 2, art.SIDE // 2)) == (0, 204, 0, 255)
    assert picture.getpixel((0, 0))[3] == 0


def test_what_is_there_is_not_fetched_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    art.fetch(folder)
    with pytest.raises(art.ArtError, match="npm"):
        art.fetch(folder / "elsewhere")


def test_an_unknown_label_is_named(folder: Path):
    with pytest.raises(art.ArtError, match="no “pear”"):
        art.read(folder, ["pear"])


def test_art_is_laid_on_the_colour_that_is_named(folder: Path):
    piece = art.read(folder, ["rocket"])[0]
    pixels = compose.compose(piece.open(), "navy blue", random.Random(0), 48)
    assert pixels.shape == (48, 48, 3)
    assert tuple(pixels[0, 0]) == captions.BACKGROUNDS["navy blue"]
    assert evaluate.delta_e(Image.fromarray(pixels), "navy blue") == 0


def test_captions_name_the_thing_its_style_and_the_ground():
    told = {captions.caption("rocket", "flat", "orange", random.Random(seed)) for seed in range(50)}
    assert "flat illustration of a rocket on an orange background" in told
    assert all(
        ("flat" in text and text.endswith("rocket on an orange background")) or "rocket," in text for text in told
    )
    assert not any(captions.caption("rocket", "3d", "", random.Random(seed)).endswith("ground") for seed in range(20))
    assert captions.plain_caption("rocket", "teal", "cartoon") == "cartoon of rocket on a teal background"


def test_one_time_in_five_it_is_a_synonym(everything: scenes.Set):
    told = [scene.caption for scene in scenes.draw(everything, 200, random.Random(0))]
    assert 0.08 < sum("thing" in caption for caption in told) / len(told) < 0.14  # half of those: the label is one too


def test_some_combinations_are_never_painted_and_evaluation_asks_for_them_apart(everything: scenes.Set):
    told = list(scenes.draw(everything, 200, random.Random(0)))
    shown: dict[str, set[str]] = {label: set() for label in LABELS}
    for scene in told:
        for laid in scene.laid:
            shown[everything.cutouts[laid.cutout].piece.label].add(scene.background)
    assert shown == {
        label: set(captions.trained_backgrounds(label)) if label != "trophy" else set() for label in LABELS
    }
    for one in evaluate.prompts(LABELS[:2], 2):
        assert (one.background in shown[LABELS[one.label]]) == one.seen
        assert one.prompt == captions.plain_caption(LABELS[one.label], one.background, one.style)
    for scene in scenes.draw_unseen(everything, 20, random.Random(0)):
        assert scene.background not in shown[everything.cutouts[scene.laid[0].cutout].piece.label]


def test_what_is_painted_is_what_the_caption_says(everything: scenes.Set):
    told = list(scenes.draw(everything, 100, random.Random(1)))
    assert len(told) == 100 * 2 * len(art.STYLES)
    kinds = {"pair": 0, "placed": 0, "recoloured": 0}
    for scene, pixels in zip(told, paint(everything, told), strict=True):
        ground = np.array(captions.BACKGROUNDS[scene.background])
        assert np.abs(pixels[0, SIZE // 2] - ground).max() <= 1
        place = next((middle for name, middle in captions.PLACES.items() if name in scene.caption), None)
        if place:
            kinds["placed"] += 1
            across, down = (int(SIZE * at) for at in place)
            assert np.abs(pixels[down, across] - ground).max() > 20
            assert np.abs(pixels[SIZE - down, SIZE - across] - ground).max() <= 1
        elif "side by side" in scene.caption:
            kinds["pair"] += 1
            left, right = (pixels[SIZE // 2, int(SIZE * across)] for across in (0.27, 0.73))
            assert left.argmax() != right.argmax()
            assert (left.argmax() == 0) == ("apple and" in scene.caption)
        elif scene.caption.endswith("background"):
            assert scene.background in scene.caption
        colour = next((name for name in captions.HUES if f"{name} rocket" in scene.caption), None)
        if colour:
            kinds["recoloured"] += 1
            middle = Image.fromarray(pixels[28:36, 28:36].astype(np.uint8)).convert("RGBA")
            assert abs((compose.find_hue(middle) - captions.HUES[colour] + 180) % 360 - 180) < 8
    assert min(kinds.values()) > 10, kinds


def test_a_thing_of_many_colours_or_none_is_not_recoloured(everything: scenes.Set):
    grey, mixed = Image.new("RGBA", (8, 8), "gray"), Image.new("RGBA", (8, 8), "red")
    mixed.paste("cyan", (0, 0, 8, 4))
    assert compose.find_hue(grey) is None
    assert compose.find_hue(mixed) is None
    # Nor is one whose name says its colour already.
    assert [bool(numbers) for numbers in everything.recoloured] == [False, True] * len(art.STYLES)


def test_no_two_steps_paint_the_same_and_one_seed_always_does(everything: scenes.Set):
    painter = training.Painter(stage.build(everything, SIZE), stage.cast(scenes.draw(everything, 2, random.Random(0))))
    (_, one), (_, again), (_, other) = (
        painter(index, 4, 0, torch.Generator().manual_seed(seed)) for index, seed in ((0, 1), (0, 1), (4, 2))
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_recipe_trains_goes_on_and_gives_a_checkpoint(folder: Path, tmp_path: Path):
    told = {"batch": 2, "warmup": 1, "save_every": 2, "validate_every": 2, "log_every": 1}
    recipe = training.Recipe(
        size=SIZE,
        each=2,
        shape=denoiser.shape((16, 32)),
        decoder=(3, 16, 16, 32),
        autoencoder=loop.LoopSpec(steps=2, **told),
        denoiser=loop.LoopSpec(steps=2, sample_every=2, tell_every=2, **told),
    )
    pieces = art.read(folder, list(LABELS), art.STYLES)
    run = tmp_path / "run"
    steps = []
    training.train(recipe, pieces, run, steps.append)
    longer = training.Recipe(**{**vars(recipe), "denoiser": loop.LoopSpec(steps=4, sample_every=2, **told)})
    model = training.train(longer, pieces, run, steps.append)
    assert [(step.index, step.total, bool(step.previews)) for step in steps] == [
        (1, 2, False),
        (2, 2, False),
        (2, 2, True),  # told every second step
        (3, 4, False),
        (4, 4, True),
    ]
    lines = [json.loads(line) for line in (run / "denoiser/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "validation_loss" in line] == [2, 4]
    assert type(pipelines.load(str(model))).__name__ == "StableDiffusionPipeline"


def test_colours_are_compared_as_people_see_them():
    # Reference values of CIE L*a*b* under D65.
    assert evaluate.to_lab(np.array([255.0, 0, 0])) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert evaluate.to_lab(np.array([255.0, 255, 255])) == pytest.approx([100, 0, 0], abs=0.05)
    assert evaluate.delta_e(Image.new("RGB", (64, 64), (255, 255, 255)), "white") < 1
    assert evaluate.delta_e(Image.new("RGB", (64, 64), (255, 255, 255)), "navy blue") > 60


def test_the_recogniser_learns_to_name_real_art(folder: Path):
    known = real.collect(art.read(folder, ["red apple", "rocket"], art.STYLES))
    assert known.labels == 2
    assert {known.pieces[number].style for number in known.without("flat").chosen} == {"3d", "cartoon", "minimal"}
    judge = recogniser.train(known.without("flat").draw, known.labels, steps=40)
    pictures, numbers = known.only("flat").apart()
    best, looks = recogniser.recognise(judge, pictures)
    assert best[:, 0].tolist() == numbers.tolist() == [0, 1]
    torch.testing.assert_close(looks.norm(dim=1), torch.ones(2))
    assert recogniser.look([Image.new("RGB", (128, 128))]).shape == (1, 3, recogniser.SIZE, recogniser.SIZE)


def test_only_what_misses_its_bar_is_named():
    good = {"top1": 0.5, "top5": 0.8, "background": 0.95, "recogniser_top1": 0.9, "labels": 380}
    report = {**good, "top5_seen": 0.82, "top5_unseen": 0.78}
    assert evaluate.missed_bars(report) == []
    assert evaluate.missed_bars({**report, "top1": 0.4, "labels": 20}) == ["top1", "labels"]
    assert evaluate.missed_bars({**report, "top5_unseen": 0.6}) == ["unseen combinations"]
