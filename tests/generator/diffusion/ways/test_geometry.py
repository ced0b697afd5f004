"""Windows, margins and tiles, without any model."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.diffusion.spec import ImageSpec, SpecError
from generator.diffusion.ways import geometry
from generator.diffusion.ways.spec import Margins, Mask, Outline, Start, UpscaleSpec

sides = st.integers(8, 3000)


@given(
    picture=st.tuples(sides, sides),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    native=st.sampled_from([64, 512]),
)
def test_a_window_holds_its_hole_and_fits_the_model(picture, corner, native):
    left, top = (int(part * (side - 1)) for part, side in zip(corner, picture, strict=True))
    hole = (left, top, min(picture[0], left + 40), min(picture[1], top + 40))
    window = geometry.window((0, 0, *picture), hole, native)
    assert window.box[0] <= hole[0] < hole[2] <= window.box[2] <= picture[0]
    assert window.box[1] <= hole[1] < hole[3] <= window.box[3] <= picture[1]
    assert all(side % 8 == 0 for side in window.size)
    most = geometry.MOST_AREA * native**2
    assert window.size[0] * window.size[1] <= most * 1.3 + 8 * sum(window.size) + 64


@given(picture=st.tuples(st.integers(64, 900), st.integers(64, 900)), sides=st.tuples(*[st.integers(0, 700)] * 4))
def test_windows_around_a_picture_cover_each_margin_once(picture, sides):
    if not any(sides):
        return
    margins = Margins(**dict(zip(("left", "top", "right", "bottom"), sides, strict=True)))
    windows = geometry.windows_around(picture, margins, 512)
    whole = margins.around(picture)
    area = sum((w.hole[2] - w.hole[0]) * (w.hole[3] - w.hole[1]) for w in windows)
    assert area == whole[0] * whole[1] - (picture[0] * picture[1] if len(windows) > 1 else 0) or len(windows) == 1
    for window in windows:
        assert window.box[0] <= window.hole[0] < window.hole[2] <= window.box[2]


def test_a_banner_out_of_a_square_is_made_from_the_middle_outwards():
    margins = geometry.margins_to((64, 64), 3, 1)
    assert margins == Margins(left=64, right=64)
    windows = geometry.windows_around((64, 64), margins, 64)
    assert [window.hole for window in windows] == [(0, 0, 64, 64), (128, 0, 192, 64)]
    assert [window.box for window in windows] == [(0, 0, 128, 64), (64, 0, 192, 64)]


@given(length=st.integers(1, 5000), tile=st.integers(64, 512), overlap=st.integers(0, 32))
def test_tiles_cover_a_side_and_overlap(length, tile, overlap):
    starts = geometry.tiles(length, tile, overlap)
    assert starts[0] == 0
    assert starts[-1] + tile >= length
    assert all(after - before <= tile - overlap for before, after in pairwise(starts))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Start(image=Outline((8, 8)), strength=0), "nothing would change"),
        (lambda: Start(image=Outline((8, 8)), strength=1.2), "between 0 and 1"),
        (lambda: Margins(), "Say how far"),
        (lambda: Margins(left=-1), "margin at the left"),
        (lambda: Margins(left=4000).around((4000, 8)), "at most 4096 a side"),
        (lambda: UpscaleSpec(image=Outline((64, 64)), factor=3), "2 or 4 times"),
        (lambda: UpscaleSpec(image=Outline((4000, 64)), factor=4), "at most 8192"),
        (lambda: _spec(mask=Mask(image=Outline((64, 64)))), "no picture to change"),
        (lambda: _spec(start=_START, mask=Mask(image=Outline((32, 64)))), "both must be of one size"),
        (lambda: _spec(start=_START, mask=Mask(image=Outline((64, 64))), width=72), "64 × 64 pixels"),
        (lambda: _spec(start=_START, mask=Mask(image=Outline((64, 64))), margins=Margins(left=8)), "not both at once"),
    ],
)
def test_what_makes_no_sense_is_said(make, says):
    with pytest.raises(SpecError, match=says):
        make()


_START = Start(image=Outline((64, 64)))


def _spec(**changes):
    return ImageSpec(**{"checkpoint": "c", "prompt": "p", "width": 64, "height": 64, **changes})


@pytest.mark.parametrize("module", ["spec", "geometry"])
def test_what_the_web_shares_imports_no_torch(module):
    heavy = "{'torch', 'diffusers', 'numpy', 'PIL'}"
    code = f"import sys, generator.diffusion.ways.{module}; sys.exit(not {heavy}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
