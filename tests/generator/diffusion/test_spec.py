"""Specs say in plain words what is wrong with them, before anything heavy is loaded."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from generator.diffusion.spec import MAX_SEED, ImageSpec, LazyPreviews, SpecError, fit_size

GOOD = {"checkpoint": "models/x", "prompt": "a red apple", "width": 64, "height": 64}


def test_a_good_spec_stands_and_is_frozen():
    spec = ImageSpec(**GOOD, count=3, seed=7)
    assert spec.seeds == (7, 8, 9)
    with pytest.raises(FrozenInstanceError):
        spec.seed = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"checkpoint": " "}, "No model"),
        ({"prompt": " \n"}, "prompt is empty"),
        ({"prompt": "x" * 10_001}, "too long"),
        ({"prompt": "a \ud800 b"}, "broken character at position 3"),
        ({"negative_prompt": "\udfff"}, "negative prompt holds a broken character"),
        ({"width": 0}, "width must be between 8 and 4096"),
        ({"width": 60}, "multiple of 8 pixels, not 60"),
        ({"height": 8192}, "height must be between"),
        ({"height": 64.0}, "whole number"),
        ({"count": 0}, "number of pictures"),
        ({"count": True}, "whole number"),
        ({"steps": 0}, "between 1 and 150"),
        ({"steps": 151}, "between 1 and 150, not 151"),
        ({"guidance": float("nan")}, "guidance must be between 0 and 30"),
        ({"guidance": -1.0}, "guidance"),
        ({"seed": -1}, "seed must be between 0"),
        ({"seed": MAX_SEED, "count": 2}, "seed must be between 0"),
        ({"scheduler": "ddpm++"}, "no scheduler “ddpm++”. Choose one of: default, dpmpp_2m"),
    ],
)
def test_a_bad_spec_is_refused_with_a_reason(change, words):
    with pytest.raises(SpecError, match=words.replace("+", r"\+")):
        ImageSpec(**(GOOD | change))


@pytest.mark.parametrize(
    ("aspect", "native", "size"),
    [
        ((1, 1), 64, (64, 64)),
        ((9, 16), 64, (48, 88)),
        ((16, 9), 64, (88, 48)),
        ((3, 1), 64, (112, 40)),
        ((4, 5), 64, (56, 72)),
        ((16, 9), 1024, (1368, 768)),
        ((1000, 1), 64, (2024, 8)),
    ],
)
def test_formats_fit_the_native_area(aspect, native, size):
    assert fit_size(*aspect, native) == size


def test_a_format_needs_two_sides():
    with pytest.raises(SpecError, match="above zero"):
        fit_size(0, 1, 64)


def test_previews_are_decoded_once_and_only_when_looked_at():
    decoded = []
    previews = LazyPreviews(2, lambda: decoded.append(1) or ["a", "b"])
    assert len(previews) == 2
    assert decoded == []
    assert [previews[0], *previews] == ["a", "a", "b"]
    assert decoded == [1]


@pytest.mark.parametrize(
    "module", ["spec", "schedulers", "starter.card", "starter.assemble"], ids=lambda module: module
)
def test_what_the_web_shares_imports_no_torch(module):
    heavy = "{'torch', 'diffusers', 'transformers', 'PIL'}"
    code = f"import sys, generator.diffusion.{module}; sys.exit(not {heavy}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
