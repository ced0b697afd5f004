"""A CSV file as requests: what people's spreadsheets write, and mistakes by their line."""

import pytest

from atelier_cli import table
from atelier_cli.told import USAGE, Told
from generator.batches.table import COLUMNS


def _read(tmp_path, text: str | bytes):
    file = tmp_path / "shoes.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return table.read(file)


def test_rows_with_their_lines_and_their_own_settings(tmp_path):
    head = "\ufeffPrompt;Count;Guidance;Model;Negative prompt"
    rows = ['"a shoe;\r\nred";2;4,5;starter;', "", ";;;;", "a boot;;;;dirt", ""]
    assert _read(tmp_path, "\r\n".join([head, *rows])) == [
        (2, {"prompt": "a shoe;\r\nred", "count": 2, "guidance": 4.5, "checkpoint": "starter"}),
        (6, {"prompt": "a boot", "negative_prompt": "dirt"}),
    ]


def test_the_columns_are_those_of_the_page():
    assert set(table.COLUMNS) == set(COLUMNS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,count\nx,1\n", "line 1: the columns must be named"),
        ("prompt,colour\nx,1\n", "the column “colour” is not known"),
        ("prompt,seed,seed\nx,1,2\n", "the column “seed” is there twice"),
        ("prompt,count\na shoe,two\n", "line 2: “two” is no number for count"),
        ("prompt,count\n\na shoe,1,2\n", "line 3: more cells than columns"),
        ("prompt,count\n,1\n", "line 2: the prompt is missing"),
        ("prompt\n", "There is no prompt in"),
        ("", "There is no prompt in"),
        ('prompt\n"a shoe\n', "line 2: "),
        ("prompt\nschön\n".encode("latin-1"), "not written in UTF-8"),
    ],
)
def test_mistakes(tmp_path, text, words):
    with pytest.raises(Told, match=words) as told:
        _read(tmp_path, text)
    assert told.value.status == USAGE


def test_no_file(tmp_path):
    with pytest.raises(Told, match="cannot be read: No such file"):
        table.read(tmp_path / "nothing.csv")
