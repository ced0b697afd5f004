"""Bad pictures and bad sets get a clear word before any compute is spent."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from generator.diffusion.train import checks, pdq


def photo(seed: int = 0, size: tuple[int, int] = (640, 512)) -> Image.Image:
    """Blotches with sharp bars over them."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(40, 220, (8, 8, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    for _ in range(30):
        left, top = rng.integers(0, size[0] - 40), rng.integers(0, size[1] - 40)
        pen.rectangle((left, top, left + 30, top + 12), fill=tuple(rng.integers(0, 255, 3).tolist()))
    return picture


def stored(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def codes(source: bytes, size: int = 512) -> list[tuple[str, str]]:
    return [(problem.code, problem.severity) for problem in checks.judge(source, size).problems]


def test_a_good_picture_has_no_problem():
    verdict = checks.judge(stored(photo()), 512)
    assert (verdict.width, verdict.height, verdict.problems) == (640, 512, ())
    assert verdict.is_usable
    assert len(verdict.hash) == 32


@pytest.mark.parametrize(
    ("source", "code", "severity"),
    [
        (b"not a picture", "corrupt", "stop"),
        (stored(photo())[:900], "corrupt", "stop"),
        (stored(photo(size=(64, 64))), "tiny", "stop"),
        (stored(photo(size=(200, 250))), "small", "stop"),
        (stored(photo(size=(400, 500))), "soft_size", "warn"),
        (stored(photo(size=(2000, 520))), "long", "warn"),
        (stored(Image.new("RGB", (600, 600), "black")), "blank", "stop"),
        (stored(Image.new("RGB", (600, 600), "white")), "blank", "stop"),
        (stored(photo().point(lambda value: value // 10)), "dark", "warn"),
        (stored(photo().point(lambda value: 238 + value // 15)), "blank", "stop"),
        (stored(photo().filter(ImageFilter.GaussianBlur(12))), "blurred", "warn"),
    ],
)
def test_what_is_wrong_is_named(source, code, severity):
    verdict = checks.judge(source, 512)
    assert (code, severity) in [(problem.code, problem.severity) for problem in verdict.problems]
    assert verdict.is_usable == (severity == "warn")
    assert all(problem.words.endswith(".") for problem in verdict.problems)


def test_a_small_model_takes_small_pictures():
    assert codes(stored(photo(size=(64, 64))), 64) == []
    assert codes(stored(photo(size=(48, 64))), 64) == [("tiny", "stop")]


def test_a_crop_is_suggested_around_what_is_to_be_seen():
    picture = Image.new("RGB", (800, 600), "white")
    picture.paste(photo(size=(160, 160)), (560, 80))
    left, top, right, bottom = checks.judge(stored(picture), 512).crop
    assert 500 <= left <= 560
    assert 720 <= right <= 800
    assert top <= 80
    assert 240 <= bottom <= 300
    assert checks.judge(stored(photo()), 512).crop is None


def readiness(count: int, kind: str = "subject", **more):
    return checks.judge_set([checks.judge(stored(photo(seed, (96, 96))), 64) for seed in range(count)], kind)


def test_a_good_set_is_ready():
    ready = readiness(8)
    assert (ready.score, ready.is_ready, ready.advice, ready.duplicates) == (100, True, (), ())
    assert readiness(4).score < ready.score
    assert readiness(8, "style").score < ready.score


def test_too_few_and_too_many_are_not():
    one = readiness(1)
    assert (one.is_ready, one.score <= 20) == (False, True)
    assert "1 different picture is too few" in one.advice[0]
    verdicts = [checks.Verdict(96, 96, (), hash=np.random.default_rng(seed).bytes(32)) for seed in range(300)]
    many = checks.judge_set(verdicts, "style")
    assert not many.is_ready
    assert any("300 pictures are too many" in word for word in many.advice)


def test_the_same_picture_twice_is_found_in_another_size_and_quality():
    again = io.BytesIO()
    photo(2, (96, 96)).resize((200, 200), Image.Resampling.BICUBIC).save(again, "JPEG", quality=40)
    verdicts = [checks.judge(stored(photo(seed, (96, 96))), 64) for seed in range(6)]
    ready = checks.judge_set([*verdicts, checks.judge(again.getvalue(), 64)], "subject")
    assert ready.duplicates == ((2, 6),)
    assert "nearly the same" in ready.advice[0]


def test_broken_ones_are_counted():
    verdicts = [checks.judge(stored(photo(seed, (96, 96))), 64) for seed in range(5)]
    ready = checks.judge_set([*verdicts, checks.judge(b"", 64)], "subject")
    assert ready.is_ready
    assert ready.advice[0] == "1 picture cannot be used: take it out."


def test_the_hash_is_pdq():
    # What Facebook's own implementation (pdqhash 0.2.8) says of this picture; it has the highest frequency first.
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (12, 9, 3), dtype=np.uint8)).resize((300, 400), Image.BICUBIC)
    bits = pdq.hash_picture(picture)[::-1, ::-1]
    assert np.packbits(bits).tobytes().hex() == PDQ
    assert pdq.distance(bits, ~bits) == 256


PDQ = "71e26270a8d470e58f1a4f1ad52b1d8f0a1d3d837f09db690c9de2766a5395ac"


def test_the_checks_and_plans_load_no_torch():
    modules = ("spec", "defaults", "planning", "checks", "estimate", "points")
    code = "; ".join(f"import generator.diffusion.train.{name}" for name in modules)
    code += "; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
