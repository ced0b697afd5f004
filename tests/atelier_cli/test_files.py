"""A picture on its way to a folder: whole or not at all, going on where it broke off, under a safe name."""

import hashlib

import pytest

from atelier_cli import files
from atelier_cli.told import Told
from tests.atelier_cli.conftest import says

MEDIA = "3f2a1b4c-5d6e-4f70-8192-a3b4c5d6e7f8"
DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()
WHOLE = {"ETag": f'"{DIGEST}"', "Content_Disposition": 'attachment; filename="a-shoe-7.png"'}


def test_a_whole_picture(far, studio, tmp_path):
    far.answers = [says(200, DATA, **WHOLE)]
    assert files.there(tmp_path, MEDIA) is None
    file = files.fetch(studio, MEDIA, tmp_path)
    assert (file.name, file.read_bytes()) == ("a-shoe-7-3f2a1b4c5d6e.png", DATA)
    assert files.there(tmp_path, MEDIA) == file
    assert list(tmp_path.glob("*")) == [file]


def test_it_goes_on_where_it_broke_off(far, studio, tmp_path):
    rest = says(206, DATA[4000:], Content_Range=f"bytes 4000-{len(DATA) - 1}/{len(DATA)}", **WHOLE)
    far.answers = [says(200, DATA[:4000], length=len(DATA), **WHOLE), rest]
    assert files.fetch(studio, MEDIA, tmp_path).read_bytes() == DATA
    headers = far.asked[1][2]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=4000-", f'"{DIGEST}"')
    assert len(list(tmp_path.glob("*"))) == 1


def test_it_goes_on_the_next_time_as_well(far, studio, tmp_path):
    broken = says(200, DATA[:4000], length=len(DATA), **WHOLE)
    nothing = says(206, b"", length=10, Content_Range="bytes 4000-4009/4010", **WHOLE)
    far.answers = [broken, nothing, nothing, nothing, nothing]
    with pytest.raises(Told, match="No studio answers"):
        files.fetch(studio, MEDIA, tmp_path)
    assert files.there(tmp_path, MEDIA) is None
    far.answers = [says(206, DATA[4000:], Content_Range=f"bytes 4000-{len(DATA) - 1}/{len(DATA)}", **WHOLE)]
    assert files.fetch(studio, MEDIA, tmp_path).read_bytes() == DATA


def test_a_picture_that_has_changed_meanwhile_comes_anew(far, studio, tmp_path):
    (tmp_path / f".{MEDIA.replace('-', '')}.{'0' * 64}.part").write_bytes(b"old")
    far.answers = [says(200, DATA, **WHOLE)]
    assert files.fetch(studio, MEDIA, tmp_path).read_bytes() == DATA
    assert len(list(tmp_path.glob("*"))) == 1


def test_a_part_that_is_longer_than_the_picture(far, studio, tmp_path):
    (tmp_path / f".{MEDIA.replace('-', '')}.{DIGEST}.part").write_bytes(DATA + b"more")
    far.answers = [says(416, Content_Range=f"bytes */{len(DATA)}"), says(200, DATA, **WHOLE)]
    assert files.fetch(studio, MEDIA, tmp_path).read_bytes() == DATA


def test_a_damaged_one_is_not_kept(far, studio, tmp_path):
    far.answers = [says(200, DATA[::-1], **WHOLE)]
    with pytest.raises(Told, match="damaged"):
        files.fetch(studio, MEDIA, tmp_path)
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize("name", ["../../x.png", "..\\\\x.png", ".bashrc", "/etc/passwd", "", "a\x1b[2J.png"])
def test_a_name_leads_nowhere(far, studio, tmp_path, name):
    folder = files.folder_at(tmp_path / "deep" / "down")
    far.answers = [says(200, DATA, Content_Disposition=f'attachment; filename="{name}"')]
    file = files.fetch(studio, MEDIA, folder)
    assert file.parent == folder
    assert not file.name.startswith(".")
    assert file.name.isprintable()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_one_that_is_not_there(far, studio, tmp_path):
    far.answers = [says(404, b'{"detail": "Nothing here."}')]
    with pytest.raises(Told, match="Nothing here"):
        files.fetch(studio, MEDIA, tmp_path)
    assert not list(tmp_path.glob("*"))


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(Told, match="cannot be a folder"):
        files.folder_at(tmp_path / "x")
