"""Crops, encoding and layers: pure functions on small pictures."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gallery.export.crop import crop_for, cut
from gallery.export.encode import Credits, encode, srgb_profile
from gallery.export.layers import Safe, lay_logo, lay_text
from gallery.export.spec import LogoLayer, TextLayer, Wishes

SIDE = st.integers(1, 3000)
SHARE = st.floats(0, 1)


@given(SIDE, SIDE, SIDE, SIDE, SHARE, SHARE)
def test_a_crop_lies_within_has_the_proportions_and_is_the_largest(width, height, w, h, x, y):
    crop = crop_for((width, height), (w, h), (x, y))
    left, top, right, bottom = crop.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert right - left == width or bottom - top == height
    exact = (right - left) / (bottom - top)
    assert abs((right - left) - (bottom - top) * w / h) <= max(1, w / h) or exact == width / height


def test_the_focus_is_kept_as_near_to_the_middle_as_the_edges_allow():
    assert crop_for((300, 100), (100, 100), (0.5, 0.5)).box == (100, 0, 200, 100)
    assert crop_for((300, 100), (100, 100), (0.9, 0.1)).box == (200, 0, 300, 100)
    assert crop_for((300, 100), (100, 100), (0.4, 0)).box == (70, 0, 170, 100)


def test_what_is_too_small_says_by_how_much():
    assert crop_for((512, 512), (1024, 1024), (0.5, 0.5)).scale == 2
    assert crop_for((512, 512), (1024, 1024), (0.5, 0.5)).is_enlarged
    assert not crop_for((1076, 1076), (1080, 1080), (0.5, 0.5)).is_enlarged  # a rounding
    assert crop_for((7, 9), None, (0.2, 0.2)).size == (7, 9)


def test_the_part_is_the_part():
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (200, 0, 300, 100))
    right = cut(image, crop_for(image.size, (50, 50), (1, 0.5)))
    assert right.size == (50, 50)
    assert right.getpixel((25, 25)) == (0, 0, 255)


def _noise(mode: str = "RGB") -> Image.Image:
    return Image.effect_noise((160, 120), 80).convert(mode)


@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "avif"])
def test_every_format_opens_with_its_profile_and_credits(format_):
    credits_ = Credits("Pear", "Ada", "© Studio")
    made = encode(_noise(), format_, quality=80, dpi=300, credits=credits_)
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.format == format_.upper()
        assert image.size == (160, 120)
        assert image.info["icc_profile"] == srgb_profile()
        if format_ == "png":
            assert image.text["Copyright"] == "© Studio"
        else:
            assert image.getexif()[0x013B] == "Ada"
            assert image.getexif()[0x8298].encode("latin-1").decode() == "© Studio"
        if format_ in ("jpeg", "png"):
            assert round(image.info["dpi"][0]) == 300


@pytest.mark.parametrize("format_", ["jpeg", "webp", "avif"])
def test_a_target_size_is_kept_with_the_best_quality_that_keeps_it(format_):
    image = _noise()
    whole = len(encode(image, format_, quality=95).data)
    target = whole * 2 // 3
    made = encode(image, format_, quality=95, max_bytes=target)
    assert made.fits
    assert len(made.data) <= target
    assert len(encode(image, format_, quality=made.quality + 1).data) > target


def test_what_cannot_be_that_small_says_so():
    made = encode(_noise(), "jpeg", quality=90, max_bytes=100)
    assert (made.fits, made.quality) == (False, 20)
    assert not encode(_noise(), "png", quality=90, max_bytes=100).fits


def test_transparency_stands_on_white_where_a_format_has_none():
    made = encode(Image.new("RGBA", (20, 20), (255, 0, 0, 0)), "jpeg", quality=90)
    with Image.open(io.BytesIO(made.data)) as image:
        assert min(image.getpixel((10, 10))) > 250
    made = encode(Image.new("RGBA", (20, 20), (255, 0, 0, 0)), "webp", quality=90)
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.mode == "RGBA"


@pytest.mark.parametrize(
    ("place", "at"), [("top-left", (10, 10)), ("bottom-right", (190, 190)), ("middle", (100, 100))]
)
def test_a_logo_stands_in_its_corner(place, at):
    ground = Image.new("RGB", (200, 200), "white")
    laid = lay_logo(ground, Image.new("RGBA", (40, 40), "black"), LogoLayer(place=place, size=20), Safe())
    assert laid.getpixel(at) == (0, 0, 0)
    assert sum(laid.convert("L").histogram()[:128]) == 40 * 40


def test_layers_stay_out_of_what_the_channel_covers():
    ground = Image.new("RGB", (200, 400), "white")
    safe = Safe(top=0.2, bottom=0.2, sides=0.1)
    laid = lay_text(
        ground,
        TextLayer(text="A long line of words that breaks", place="bottom", size=10, colour="#000000"),
        None,
        safe,
    )
    dark = laid.convert("L").point(lambda v: 255 if v < 128 else 0).getbbox()
    assert dark[0] >= 20
    assert dark[2] <= 180
    assert dark[3] <= 320
    assert dark[3] - dark[1] > 30  # more than one line


def test_words_may_stand_on_a_colour():
    ground = Image.new("RGB", (200, 200), "white")
    laid = lay_text(
        ground, TextLayer(text="Sale", place="middle", size=20, colour="#ffffff", shade="#cc0000"), None, Safe()
    )
    assert any(pixel[0] > 150 and pixel[1] < 60 for pixel in laid.get_flattened_data())


def test_wishes_survive_their_way_through_json():
    wishes = Wishes(media=("a",), channels=(1,), focus={"a:1": (0.1, 0.2)}, logo=LogoLayer(), text=TextLayer(text="x"))
    back = Wishes.from_json({**wishes.as_json(), "from_another_version": 1})
    assert back == wishes
    assert back.focus_of("a", 1) == (0.1, 0.2)
    assert back.focus_of("b", 1) == (0.5, 0.5)
