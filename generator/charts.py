"""Charts for pages: geometry only. templates/charts/chart.html draws it, static/css/admin.css colours it.

The SVG has no viewBox: across, everything is in per cent of the width, so that a chart fits a phone and its words keep
their size; up, in pixels. Beside each chart stands the same as a table, for whoever cannot see it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

HEIGHT = 150.0  # px of the plot
HEAD, FOOT = 10.0, 26.0  # px above and below, for words
LABELS = 6  # words under the axis, so that they do not touch; a phone shows every other one
GAP = 0.2  # of a bar's place


def whole(value: float) -> str:
    """A number of things."""
    return f"{value:,.0f}"


@dataclass(frozen=True)
class Series:
    """One row of numbers, one for each place of the chart; None where nothing was measured."""

    title: str
    values: Sequence[float | None]
    tone: str  # a class of the stylesheet: done, failed, waiting, accent...


@dataclass
class Chart:
    """What a template needs to draw one."""

    title: str
    places: Sequence[str]  # names of the places along the axis
    series: list[Series]
    show: Callable[[float], str] = whole

    def __post_init__(self) -> None:
        self.top = nice_top(self._highest())

    def _highest(self) -> float:
        return max((value for row in self.series for value in row.values if value is not None), default=0.0)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for row in self.series for value in row.values)

    def y(self, value: float) -> float:
        """Pixels from the upper edge."""
        return round(HEIGHT - value / self.top * HEIGHT, 1)

    def x(self, place: float) -> float:
        """Per cent from the left edge."""
        return round(100 * place / len(self.places), 3)

    def grid(self) -> list[dict[str, Any]]:
        """Lines across, with what they stand for."""
        return [{"y": self.y(part * self.top), "label": self.show(part * self.top)} for part in (0.5, 1)]

    def labels(self) -> list[dict[str, Any]]:
        """Words under the axis, in the middle of their places."""
        places = len(self.places)
        step = max(1, ceil(places / LABELS))
        first = (places - 1) % step // 2 if places > LABELS else 0
        return [{"x": self.x(n + 0.5), "text": self.places[n]} for n in range(first, places, step)]

    def rows(self) -> list[tuple[str, list[str]]]:
        """The same as a table."""
        return [(place, [self._cell(row.values[n]) for row in self.series]) for n, place in enumerate(self.places)]

    def _cell(self, value: float | None) -> str:
        return "–" if value is None else self.show(value)

    def draw(self) -> SafeString:
        """The chart with its legend and its table."""
        facts = {"chart": self, "height": HEAD + HEIGHT + FOOT, "head": HEAD, "foot": HEIGHT, "label_y": HEIGHT + 17}
        return render_to_string("charts/chart.html", {**facts, "places": self._places(), "lines": self._lines()})

    def _places(self) -> list[dict[str, Any]]:
        return [
            {"x": self.x(n), "width": self.x(1), "told": self._told(n), **self._bar(n)} for n in range(len(self.places))
        ]

    def _told(self, number: int) -> str:
        # All series of one place, for a pointer that rests there.
        lines = [f"{row.title}: {self._cell(row.values[number])}" for row in self.series]
        return "\n".join([self.places[number], *lines])

    def _bar(self, number: int) -> dict[str, Any]:
        return {}

    def _lines(self) -> list[dict[str, Any]]:
        return []


class Bars(Chart):
    """Bars, the series on top of each other."""

    def _highest(self) -> float:
        places = zip(*(row.values for row in self.series), strict=True)
        least = 2.0 if self.show is whole else 0.0  # no half things beside the axis
        return max([least, *(sum(value or 0 for value in place) for place in places)])

    def _bar(self, number: int) -> dict[str, Any]:
        parts, base = [], 0.0
        for row in self.series:
            if value := row.values[number] or 0:
                low, high = self.y(base), self.y(base + value)
                parts.append({"tone": row.tone, "y": high, "height": max(1.0, round(low - high, 1))})
                base += value
        return {"left": self.x(number + GAP / 2), "thick": self.x(1 - GAP), "parts": parts}


class Lines(Chart):
    """A line for each series; it breaks where nothing was measured."""

    def _lines(self) -> list[dict[str, Any]]:
        lines = []
        for row in self.series:
            points = [None if value is None else (self.x(n + 0.5), self.y(value)) for n, value in enumerate(row.values)]
            pairs = [(a, b) for a, b in pairwise(points) if a and b]
            lines.append({"tone": row.tone, "pairs": pairs, "points": [point for point in points if point]})
        return lines


def nice_top(highest: float) -> float:
    """The upper end of an axis, not below `highest`: a number whose half is a short one too."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** floor(log10(highest))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= highest * 0.999)


def seconds(value: float) -> str:
    """A length of time in few letters: 0.05 s, 0.4 s, 12 s, 3 min, 2.5 h."""
    if 0.01 <= value < 0.1:
        return f"{value:.2f} s"
    if value < 10:
        return f"{value:.1f} s".replace(".0 ", " ")
    if value < 100:
        return f"{value:.0f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h".replace(".0 ", " ")
