"""Names of exported files, and the table beside them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.export.manifest import as_csv
from gallery.export.naming import Namer, safe_part, unknown_tokens


def test_tokens_are_filled():
    name = Namer("{team}-{title}-{channel}-{n}").name(
        {"team": "Öl & Co", "title": "a/b", "channel": "x", "n": "01"}, "jpg"
    )
    assert name == "Öl-Co-a-b-x-01.jpg"


def test_a_slash_makes_folders_but_never_out_of_the_zip():
    assert Namer("{channel}/{title}").name({"channel": "story", "title": "pear"}, "png") == "story/pear.png"
    assert Namer("../../{title}").name({"title": "../../etc/passwd"}, "png") == "etc-passwd.png"
    assert Namer("/{title}").name({"title": ""}, "png") == "picture.png"


def test_no_name_is_given_twice_whatever_its_case():
    namer = Namer("{title}")
    given_ = [namer.name({"title": title}, "jpg") for title in ("Pear", "pear", "PEAR", "pear-2")]
    assert given_ == ["Pear.jpg", "pear-2.jpg", "PEAR-3.jpg", "pear-2-2.jpg"]


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "aux.txt"])
def test_names_that_some_systems_keep_for_themselves(name):
    assert safe_part(name).endswith("-")


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_becomes_a_safe_name(title, pattern):
    name = Namer(pattern + "{title}").name({"title": title}, "jpg")
    parts = name.split("/")
    assert all(part and part not in (".", "..") and not part.startswith((".", "-")) for part in parts)
    assert all(len(part.encode()) <= 110 for part in parts)
    assert not set(name) & set('\\:*?"<>|\0\n')


def test_what_means_nothing_is_named():
    assert unknown_tokens("{title}-{colour}") == ["colour"]


def test_no_cell_of_the_table_is_a_formula():
    rows = list(
        csv.reader(io.StringIO(as_csv([{"file": "a.jpg", "prompt": "=HYPERLINK(1)", "title": None}]).lstrip("\ufeff")))
    )
    assert rows[1][rows[0].index("prompt")] == "'=HYPERLINK(1)"
    assert rows[1][rows[0].index("title")] == ""
