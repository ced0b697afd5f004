"""CSV files as spreadsheets write them: nothing lost, every bad row named."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.batches.matrix import MOST
from generator.batches.table import COLUMNS, MOST_BYTES, decode, read

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda cell: cell.strip()
)


def saved(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def test_the_plainest_file():
    table = read("prompt\na shoe\na boot\n")
    assert [(row.line, row.cells) for row in table.rows] == [(2, {"prompt": "a shoe"}), (3, {"prompt": "a boot"})]
    assert table.problems == []


def test_heads_are_read_as_people_write_them_and_empty_cells_are_left_out():
    table = read("Prompt;Negative Prompt;SEED\na shoe;;7\n")
    assert table.rows[0].cells == {"prompt": "a shoe", "seed": "7"}


@given(
    st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_whatever_a_spreadsheet_saves_is_read(rows, delimiter, end, marked):
    text = saved([["prompt", "title", "style"], *map(list, rows)], delimiter, end)
    table = read(decode(text.encode("utf-8-sig" if marked else "utf-8")))
    assert table.problems == []
    got = [tuple(row.cells[name] for name in ("prompt", "title", "style")) for row in table.rows]
    assert got == [tuple(cell.strip() for cell in row) for row in rows]


@given(st.text(max_size=200))
def test_nothing_vanishes_and_nothing_breaks(text):
    table = read("prompt,title\n" + text)
    lines = [item.line for item in [*table.rows, *table.problems] if item.line]
    assert len(lines) == len(set(lines))
    assert table.rows or table.problems


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with suppress(ValueError):
        read(decode(data))


def test_every_bad_row_is_named_with_its_line():
    table = read('prompt,title\n"over\ntwo lines",one\n,nameless\na,b,c\n\ngood,\n')
    assert [(row.line, row.cells["prompt"]) for row in table.rows] == [(2, "over\ntwo lines"), (7, "good")]
    assert [problem.line for problem in table.problems] == [4, 5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line"),
        ("a shoe\na boot\n", "first line"),
        ("prompt,colour\na,b\n", "colour"),
        ("prompt,prompt\na,b\n", "twice"),
        ("prompt\n", "no prompt"),
        ('prompt\n"open\n', "CSV"),
        ("prompt\na\0b\n", "sign"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, words):
    table = read(text)
    assert table.rows == []
    assert words in table.problems[0].reason


def test_sizes_are_limited():
    assert len(read(saved([["prompt"], *[["a"]] * MOST])).rows) == MOST
    assert str(MOST) in read(saved([["prompt"], *[["a"]] * (MOST + 1)])).problems[0].reason
    with pytest.raises(ValueError, match="1 MB"):
        decode(b"a" * (MOST_BYTES + 1))
    with pytest.raises(ValueError, match="Line 3"):
        decode(b"prompt\nok\n\xff\n")


def test_all_columns_are_known():
    assert read(",".join(COLUMNS) + "\n" + ",".join("a" for _name in COLUMNS)).problems == []
