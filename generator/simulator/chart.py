"""Waits against workers as an SVG file that stands by itself and reads well on light and dark pages."""

import math
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 180, 44, 52
FLOOR = 0.5  # seconds: the axis is logarithmic, and a shorter wait is none
COLOURS = {"interactive": ("#0f766e", "#2dd4bf"), "batch": ("#b45309", "#fbbf24"), "training": ("#6d28d9", "#a78bfa")}
DARK = "@media(prefers-color-scheme:dark){text{fill:#d4d4d4}.grid{stroke:#404040}SERIES}"
ENOUGH = 10  # jobs of an urgency, or it has no line: fewer say nothing of a 95th percentile
MARKS = [(1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (36000, "10 h")]


def draw(rows: list[dict[str, Any]]) -> str:
    """The chart of several reports: median (line) and 95th percentile (dashed) of each urgency."""
    workers = [row["workers"] for row in rows]
    names = [name for name in COLOURS if all(row["waits"].get(name, {}).get("jobs", 0) >= ENOUGH for row in rows)]
    longest = max((row["waits"][name]["p95"] for row in rows for name in names), default=FLOOR)
    x = _Scale(min(workers), max(workers), LEFT, WIDTH - RIGHT)
    y = _Scale(FLOOR, max(longest, 10.0) * 1.3, HEIGHT - BOTTOM, TOP)
    style = "".join(
        f".{name}{{stroke:{light}}}circle.{name}{{fill:{light}}}"
        for name, (light, _dark) in COLOURS.items()
        if name in names
    ) + DARK.replace(
        "SERIES",
        "".join(
            f".{name}{{stroke:{dark}}}circle.{name}{{fill:{dark}}}"
            for name, (_light, dark) in COLOURS.items()
            if name in names
        ),
    )
    body = [
        f'<text x="{LEFT}" y="22" class="title">Wait for a start, by the number of workers</text>',
        *(_grid(x, y, workers)),
        *(part for number, name in enumerate(names) for part in _series(rows, name, number, x, y)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(_in_words(rows, names))}"><style>text{{font:13px system-ui,sans-serif;fill:#404040}}'
        ".title{font-weight:600;font-size:15px}.grid{stroke:#d4d4d4;stroke-width:1}path{stroke-width:2}"
        f"{style}path{{fill:none}}text{{stroke:none}}</style>{''.join(body)}</svg>\n"
    )


class _Scale:
    """A logarithmic axis from `least` to `most`, drawn from `start` to `end`."""

    def __init__(self, least: float, most: float, start: float, end: float) -> None:
        self.least, self.most = least, max(most, least * 1.01)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        part = math.log(max(value, self.least) / self.least) / math.log(self.most / self.least)
        return round(self.start + (self.end - self.start) * part, 1)


def _grid(x: _Scale, y: _Scale, workers: Iterable[int]) -> Iterable[str]:
    for value, label in MARKS:
        if y.least <= value <= y.most:
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
            yield f'<text x="{LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{label}</text>'
    for value in workers:
        yield f'<text x="{x(value)}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{value}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">workers</text>'


def _series(rows: list[dict[str, Any]], name: str, number: int, x: _Scale, y: _Scale) -> Iterable[str]:
    for part, dash in (("p50", ""), ("p95", ' stroke-dasharray="5 4"')):
        points = [(x(row["workers"]), y(row["waits"][name][part])) for row in rows]
        line = " L".join(f"{px} {py}" for px, py in points)
        yield f'<path class="{name}" d="M{line}"{dash}/>'
        yield from (f'<circle class="{name}" cx="{px}" cy="{py}" r="3"/>' for px, py in points)
        top = TOP + 16 + 54 * number + (20 if dash else 0)
        left = WIDTH - RIGHT + 14
        yield f'<path class="{name}" d="M{left} {top} h24"{dash}/>'
        yield f'<text x="{left + 32}" y="{top + 4}">{name}{", 95 %" if dash else ", 50 %"}</text>'


def _in_words(rows: list[dict[str, Any]], names: list[str]) -> str:
    first, last = rows[0], rows[-1]
    told = [
        f"{name}: half wait under {row['waits'][name]['p50']:g} s, 95 in 100 under {row['waits'][name]['p95']:g} s"
        f" with {row['workers']} workers"
        for row in (first, last)
        for name in names
        if name in row["waits"]
    ]
    return "Waits by number of workers. " + "; ".join(told)
