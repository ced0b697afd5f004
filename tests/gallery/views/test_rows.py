"""Justified rows."""

import random
import re
from itertools import pairwise

import pytest

from gallery.views.rows import TARGETS, breaks, styles

MIXED = [random.Random(n).choice([1, 0.8, 0.5625, 1.7778, 3]) for n in range(40)]


@pytest.mark.parametrize("target", TARGETS.values())
@pytest.mark.parametrize("ratios", [MIXED, [1.0] * 40, [3.0] * 40, [0.5625] * 40, [1.0]])
def test_rows_hold_every_picture_once_in_order(ratios, target):
    ends = breaks(ratios, target, is_end=False)
    assert ends[-1] == len(ratios)
    assert ends == sorted(set(ends))


@pytest.mark.parametrize("target", TARGETS.values())
def test_rows_are_about_as_high_as_wanted(target):
    starts = [0, *breaks(MIXED, target, is_end=False)]
    widths = [sum(MIXED[start:end]) for start, end in pairwise(starts)]
    assert all(0.6 < width / target < 1.6 for width in widths), widths


def test_shares_fill_each_row():
    texts = styles(MIXED, is_end=False)
    start = 0
    for end in breaks(MIXED, TARGETS["l"], is_end=False):
        shares = [float(re.search(r"--l: ([\d.]+)", text)[1]) for text in texts[start:end]]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert all(f"--ln: {end - start}" in text for text in texts[start:end])
        start = end


def test_at_the_end_a_lonely_picture_stays_small():
    (text,) = styles([1.0], is_end=True)
    assert float(re.search(r"--l: ([\d.]+)", text)[1]) == pytest.approx(1 / TARGETS["l"], abs=1e-4)


def test_nothing_has_no_rows():
    assert styles([], is_end=True) == []
