"""Medical pictures: as a radiologist's screen shows them, and nothing of whoever is in them."""

import json

import numpy as np
import pytest
from PIL import Image

from gallery.intake.pictures import Unfit, read
from tests.gallery.intake import files

RAMP = np.arange(64, dtype=np.uint16).reshape(1, 64).repeat(32, 0) * 64  # 0..4032, twelve bits


@pytest.fixture
def shades(tmp_path):
    """`shades(bytes)`: (what was read, its grey values along one row)."""

    def look(data: bytes, name: str = "IM0001"):
        path = tmp_path / "file"
        path.write_bytes(data)
        found = read(path, name)
        assert (found.kind, found.image.mode) == ("DICOM", "RGB")
        return found, np.asarray(found.image)[0, :, 0].astype(int)

    return look


def test_without_a_window_it_goes_from_the_least_to_the_most(shades):
    found, row = shades(files.dicom(RAMP))
    assert found.image.size == (64, 32)
    assert (row[0], row[-1]) == (0, 255)
    assert abs(row - np.linspace(0, 255, 64)).max() <= 1
    assert found.notes == ["dicom", "16-bit"]


def test_the_window_says_what_is_seen(shades):
    """PS3.3, C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5), from black to white."""
    _found, row = shades(files.dicom(RAMP, WindowCenter=[1000, 40], WindowWidth=[500, 80]))
    expected = (((RAMP[0] - 999.5) / 499 + 0.5).clip(0, 1) * 255).round()
    assert abs(row - expected).max() <= 1
    assert (row[0], row[-1]) == (0, 255)


def test_values_are_what_the_modality_means(shades):
    """Hounsfield units: a window over them, not over what is stored."""
    tables = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 0, "WindowWidth": 101}
    _found, row = shades(files.dicom(RAMP, **tables))
    assert row[16] == 129  # 1024 stored is 0 HU, half a unit above the middle
    assert (row[15], row[17]) == (0, 255)


def test_where_the_least_is_white(shades):
    _found, row = shades(files.dicom(RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert (row[0], row[-1]) == (255, 0)


def test_of_several_frames_the_first(shades):
    frames = np.stack([np.full((8, 8), 10, np.uint16), np.full((8, 8), 4000, np.uint16)])
    frames[0, 0, 0] = 0
    found, row = shades(files.dicom(frames))
    assert "animated" in found.notes
    assert (row[0], row[1]) == (0, 255)


def test_eight_bits_stay_eight_bits(shades):
    found, _row = shades(files.dicom(RAMP // 16, stored=8))
    assert "16-bit" not in found.notes


@pytest.mark.parametrize("cut", [300, 600, 2000])
def test_what_is_cut_off_is_refused(shades, cut):
    with pytest.raises(Unfit) as unfit:
        shades(files.dicom(RAMP)[:cut])
    assert unfit.value.code in ("cut-off", "broken")


def test_more_pixels_than_can_be_taken_are_never_decoded(shades):
    with pytest.raises(Unfit) as unfit:
        shades(files.dicom(RAMP, Rows=60_000, Columns=60_000))
    assert unfit.value.code == "too-many-pixels"


def test_nothing_of_the_patient_comes_in(bring):
    file = bring("scan.dcm", files.dicom(RAMP, BurnedInAnnotation="YES"))
    assert file.state == "done", file.reason
    assert any("patient" in note for note in file.notes)
    assert any("written into the picture" in note for note in file.notes)
    with file.media.file.open("rb") as stored:
        content = stored.read()
        stored.seek(0)
        assert Image.open(stored).size == (64, 32)
    kept = json.dumps([file.media.recipe, file.media.title, file.notes]).encode() + content
    for word in (b"Doe", b"Jane", b"4711", b"19700101"):
        assert word not in kept
