"""Justified rows: every picture whole, every row full, heights as even as they can be.

Where a row ends depends on the width of the page, which a server does not know; so the rows are worked out for three
widths and the style sheet picks one by a container query. Sizes are thus reserved before any picture or script loads.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import inf, log

# For each width, under the name the style sheet uses: the width of a row in units of its height.
TARGETS = {"s": 2.6, "m": 4.0, "l": 5.4}
LONGEST = 16  # pictures a row may hold


def styles(ratios: Sequence[float], *, is_end: bool) -> list[str]:
    """Custom properties for each picture of `ratios` (width over height): its share of its row and the row's length.

    With `is_end` nothing follows, so the last row may stay short instead of growing tall.
    """
    texts = [f"--ratio: {ratio:.4f}" for ratio in ratios]
    for name, target in TARGETS.items():
        start = 0
        for end in breaks(ratios, target, is_end=is_end):
            total = sum(ratios[start:end])
            if is_end and end == len(ratios):
                total = max(total, target)
            for i in range(start, end):
                texts[i] += f"; --{name}: {ratios[i] / total:.5f}; --{name}n: {end - start}"
            start = end
    return texts


def breaks(ratios: Sequence[float], target: float, *, is_end: bool) -> list[int]:
    """Where each row ends (exclusive), so that the rows' heights differ least from the wanted one, over all of them.

    Dynamic programming over the last break, as paragraphs are set (Knuth & Plass, 1981); a row's badness is the squared
    logarithm of how much taller or flatter than wanted it comes out.
    """
    count = len(ratios)
    sums = [0.0, *accumulate(ratios)]
    best = [0.0] + [inf] * count
    previous = [0] * (count + 1)
    for end in range(1, count + 1):
        for start in range(max(0, end - LONGEST), end):
            width = sums[end] - sums[start]
            is_short_end = is_end and end == count and width < target
            badness = best[start] + (0.0 if is_short_end else log(width / target) ** 2)
            if badness < best[end]:
                best[end], previous[end] = badness, start
    found = []
    while count:
        found.append(count)
        count = previous[count]
    return found[::-1]
