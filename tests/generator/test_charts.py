"""Charts: where things stand, what they say, and that nothing typed becomes markup."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from generator.charts import HEIGHT, LABELS, Bars, Lines, Series, nice_top, seconds


def _svg(html: str) -> ET.Element:
    start = html.index('<svg class="plot"')
    return ET.fromstring(html[start : html.index("</svg>", start) + 6].replace("\n", " "))


def test_bars_stand_on_each_other():
    chart = Bars("Ended", ["Mon", "Tue"], [Series("Done", [3, 0], "plain"), Series("Failed", [1, 2], "bad")])
    bars = [bar.attrib for bar in _svg(chart.draw()).iter("rect") if bar.get("class").startswith("bar")]
    assert chart.top == 4
    assert [bar["class"] for bar in bars] == ["bar plain", "bar bad", "bar bad"]
    assert [float(bar["height"]) for bar in bars] == [HEIGHT * 3 / 4, HEIGHT / 4, HEIGHT / 2]
    assert [float(bar["y"]) for bar in bars] == [HEIGHT / 4, 0, HEIGHT / 2]


def test_a_line_breaks_where_nothing_was_measured():
    chart = Lines("Wait", list("abcd"), [Series("Half", [1.0, 2.0, None, 4.0], "accent")], show=seconds)
    svg = _svg(chart.draw())
    assert len([line for line in svg.iter("line") if line.get("class") == "run accent"]) == 1
    assert len(list(svg.iter("circle"))) == 3


def test_a_place_tells_its_numbers_and_the_table_has_them_all():
    html = Bars("Ended", ["Mon", "Tue"], [Series("Done", [1234, 0], "plain")]).draw()
    assert [title.text for title in _svg(html).iter("title")] == ["Mon Done: 1,234", "Tue Done: 0"]
    assert '<th scope="row">Mon</th><td>1,234</td>' in html
    assert 'role="img" aria-label="Ended"' in html


def test_what_is_empty_says_so():
    assert "<svg" not in Bars("Ended", ["Mon"], [Series("Done", [0], "plain")]).draw()
    assert "Nothing in this time" in Lines("Wait", ["Mon"], [Series("Half", [None], "plain")]).draw()


def test_words_are_escaped():
    assert "<b>" not in Bars("<b>", ["<b>"], [Series("<b>", [1], "plain")]).draw()


@pytest.mark.parametrize("places", [1, 5, 6, 9, 24, 28, 30])
def test_words_under_the_axis_do_not_touch(places):
    chart = Bars("x", [str(n) for n in range(places)], [Series("x", [1] * places, "plain")])
    labels = chart.labels()
    assert 1 <= len(labels) <= LABELS
    assert all(later["x"] - earlier["x"] >= 100 / 7 for earlier, later in pairwise(labels))


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (0.3, 0.4), (1, 1), (3, 4), (7, 8), (90, 100), (101, 200)])
def test_the_axis_ends_at_a_short_number(highest, top):
    assert nice_top(highest) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 s"),
        (0.05, "0.05 s"),
        (0.42, "0.4 s"),
        (3, "3 s"),
        (42.4, "42 s"),
        (600, "10 min"),
        (7200, "2 h"),
        (9000, "2.5 h"),
    ],
)
def test_lengths_of_time(value, words):
    assert seconds(value) == words
