"""Which colours a picture is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from gallery.colours import LEAST, MOST, SWATCHES, lab, name_of, palette

byte = st.integers(0, 255)

# what CSS calls it -> what people would look for
NAMES = {
    "red": ("red", "crimson", "firebrick", "darkred"),
    "orange": ("orange", "darkorange", "sandybrown", "coral"),
    "yellow": ("yellow", "gold", "khaki", "goldenrod"),
    "green": ("green", "lime", "forestgreen", "darkgreen", "seagreen", "limegreen"),
    "teal": ("teal", "cyan", "turquoise", "darkcyan"),
    "blue": ("blue", "navy", "royalblue", "dodgerblue", "skyblue", "steelblue"),
    "purple": ("purple", "indigo", "darkviolet", "rebeccapurple"),
    "pink": ("pink", "hotpink", "lightpink", "violet", "deeppink"),
    "brown": ("saddlebrown", "sienna", "#5b3a21"),
    "white": ("white", "snow", "ivory", "whitesmoke"),
    "grey": ("grey", "silver", "dimgrey", "slategrey"),
    "black": ("black", "#111111", "#0a0a14"),
}


@pytest.mark.parametrize(("name", "css"), [(name, css) for name, many in NAMES.items() for css in many])
def test_colours_have_the_names_people_use(name, css):
    assert name_of(*ImageColor.getrgb(css)) == name


def test_every_swatch_is_of_its_own_name():
    assert {name: name_of(*ImageColor.getrgb(swatch)) for name, swatch in SWATCHES.items()} == {
        name: name for name in SWATCHES
    }


def test_lab_agrees_with_published_values():
    assert lab(255, 255, 255) == pytest.approx((100, 0, 0), abs=0.02)
    assert lab(255, 0, 0) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab(0, 0, 255) == pytest.approx((32.30, 79.19, -107.86), abs=0.05)


def test_a_picture_is_found_by_what_covers_it():
    image = Image.new("RGB", (400, 300), "white")
    image.paste("crimson", (0, 0, 400, 100))
    image.paste("navy", (0, 0, 4, 4))  # a detail
    shades = palette(image)
    assert [shade.name for shade in shades] == ["white", "red"]
    assert shades[0].share == pytest.approx(2 / 3, abs=0.03)
    assert shades[1].hex == "#dc143c"


def test_what_is_transparent_counts_as_white():
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    image.paste((0, 128, 0, 255), (0, 0, 50, 20))
    assert [shade.name for shade in palette(image)] == ["white", "green"]


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
def test_any_kind_of_picture_has_a_colour(mode):
    assert palette(Image.new(mode, (3, 200)))


@given(byte, byte, byte)
def test_every_colour_has_a_name(red, green, blue):
    assert name_of(red, green, blue) in SWATCHES


@given(st.binary(min_size=3 * 64, max_size=3 * 64))
def test_shades_come_largest_first_and_fill_no_more_than_the_picture(data):
    shades = palette(Image.frombytes("RGB", (8, 8), data))
    shares = [shade.share for shade in shades]
    assert shares == sorted(shares, reverse=True)
    assert 1 <= len(shades) <= MOST
    assert sum(shares) <= 1.0001
    assert len(shades) == 1 or min(shares) >= LEAST
