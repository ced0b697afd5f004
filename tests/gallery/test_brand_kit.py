"""Colours, fonts and channels of a team, and what an export makes of them."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from gallery import services
from gallery.export.spec import LogoLayer, TextLayer, Wishes
from gallery.models import Brand, BrandFont, Channel, Export
from tests import things
from tests.deliveries import font_file, make_export


def test_colours_keep_their_order_and_those_without_a_name_go(studio, alice):
    brand = services.set_colours(
        user=alice, team=studio, colours=[("Sea", "#0088AA"), ("", "#888888"), ("Sun", "#ffcc00")]
    )
    assert brand.colours == [{"name": "Sea", "hex": "#0088aa"}, {"name": "Sun", "hex": "#ffcc00"}]
    with pytest.raises(services.Refused, match="#rrggbb"):
        services.set_colours(user=alice, team=studio, colours=[("Red", "red; background: url(x)")])


def test_a_font_is_drawn_with_before_it_is_taken(studio, alice):
    font = services.add_font(user=alice, team=studio, file=font_file(), licence="SIL OFL 1.1")
    assert (font.name, font.file.name.rsplit(".", 1)[-1]) == ("Inter Regular", "woff2")
    stored = font.file
    services.remove_font(user=alice, font=font)
    assert not stored.storage.exists(stored.name)


@pytest.mark.parametrize(
    "data", [b"hello", b"\x00\x01\x00\x00" + bytes(500), b"OTTO" + b"\xff" * 900, b"wOF2" + bytes(80)]
)
def test_what_is_no_font_is_refused(studio, alice, data):
    with pytest.raises(services.Refused, match="no font"):
        services.add_font(user=alice, team=studio, file=SimpleUploadedFile("a.ttf", data), licence="OFL")
    assert not BrandFont.objects.exists()


def test_a_font_needs_a_licence_and_a_manager(studio, alice, bob):
    with pytest.raises(services.Refused, match="licence"):
        services.add_font(user=alice, team=studio, file=font_file(), licence=" ")
    with pytest.raises(PermissionDenied):
        services.add_font(user=bob, team=studio, file=font_file(), licence="OFL")


def test_logo_and_words_in_the_teams_font_lie_on_an_export(studio, alice, bob, make_media):
    services.set_brand(user=alice, team=studio, name="Studio", logo=things.logo())
    font = services.add_font(user=alice, team=studio, file=font_file(), licence="OFL")
    text = TextLayer(text="Hi", place="top-left", size=30, colour="#00ff00", font=str(font.pk))
    made = make_export(bob, [make_media(bob)], logo=LogoLayer(place="bottom-right", size=30), text=text)
    image = Image.open(io.BytesIO(made.file.open("rb").read())).convert("RGB")
    assert image.getpixel((55, 57)) == (255, 136, 0)  # the logo
    assert any(pixel[1] > 200 and pixel[0] < 80 for pixel in image.crop((0, 0, 32, 32)).get_flattened_data())
    other = TextLayer(text="Hi", font="00000000-0000-0000-0000-000000000000")
    with pytest.raises(services.Refused, match="font"):
        make_export(bob, [make_media(bob)], text=other)


def test_channels_of_a_team_are_its_own(studio, alice, charlie, bob, make_media):
    channel = services.set_channel(user=alice, team=studio, name="Tram", slug="tram", width=30, height=20)
    assert channel in Channel.objects.for_team(studio)
    assert channel not in Channel.objects.for_team(charlie.teams.first())
    with pytest.raises(PermissionDenied):
        services.set_channel(user=bob, team=studio, channel=channel, name="Bus")
    services.install_channels()
    with pytest.raises(PermissionDenied):
        services.delete_channel(user=alice, channel=Channel.objects.get(slug="whole"))
    media = str(make_media(charlie, team=charlie.teams.first()).pk)
    with pytest.raises(services.Refused, match="channel"):
        services.create_export(
            user=charlie, team=charlie.teams.first(), wishes=Wishes(media=(media,), channels=(channel.pk,))
        )


def test_what_ships_stays_as_administrators_left_it(db):
    services.install_channels()
    Channel.objects.filter(slug="x-post").update(width=1200, is_active=False)
    services.install_channels()
    assert Channel.objects.get(slug="x-post").width == 1200
    assert not Channel.objects.for_team(None).filter(slug="x-post").exists()


def test_the_page_adds_and_says_what_is_wrong(as_, alice, studio):
    client = as_(alice)
    data = {"name": "Tram", "width": "300", "height": "200", "format": "png", "quality": "80"}
    data |= {"safe_top": "0", "safe_bottom": "0", "safe_sides": "0"}
    for _n in range(2):
        assert client.post(reverse("gallery:add_channel"), data).status_code == 302
    assert list(Channel.objects.filter(team=studio).values_list("slug", flat=True)) == ["tram", "tram-2"]
    response = client.post(reverse("gallery:add_channel"), {**data, "width": ""})
    assert (response.status_code, "how wide" in response.content.decode()) == (422, True)
    response = client.post(reverse("gallery:add_font"), {"licence": "OFL"})
    assert "Choose a font file" in response.content.decode()
    client.post(reverse("gallery:set_colours"), {"name": ["Sea", ""], "hex": ["#0088aa", "#888888"]})
    assert Brand.objects.get(team=studio).colours == [{"name": "Sea", "hex": "#0088aa"}]
    assert "#0088aa" in client.get(reverse("gallery:standards")).content.decode()


@pytest.mark.parametrize("model", [Channel, Export, BrandFont])
def test_administrators_see_them(bob, alice, studio, make_media, model):
    make_export(bob, [make_media(bob)])
    services.add_font(user=alice, team=studio, file=font_file(), licence="OFL")
    client = Client()
    root = User.objects.create_superuser("root@example.com", "a rather long password")
    client.force_login(root, backend="allauth.account.auth_backends.AuthenticationBackend")
    name = f"admin:gallery_{model._meta.model_name}"
    assert client.get(reverse(f"{name}_changelist")).status_code == 200
    assert client.get(reverse(f"{name}_change", args=[model.objects.first().pk])).status_code == 200
