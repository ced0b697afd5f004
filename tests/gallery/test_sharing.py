"""Share links: what a stranger sees, for how long, and what they never see."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import Membership
from accounts.roles import Role
from gallery import services
from gallery.models import ShareLink
from tests.things import logo


@pytest.fixture
def media(bob, make_media):
    """A picture of bob's that the studio sees."""
    return make_media(bob, prompt="a secret prompt")


def link_to(user, **wanted) -> tuple[ShareLink, str]:
    link, token = services.make_link(user=user, **wanted)
    return link, f"/s/{token}/"


def test_a_stranger_sees_the_picture_and_nothing_of_the_inside(media, bob, studio):
    _link, address = link_to(bob, media=media)
    page = Client().get(address)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Studio" in text
    for inside in ("secret prompt", "Bob", bob.email, "Starter", "/gallery/", str(studio.pk)):
        assert inside not in text
    assert "noindex" in page["X-Robots-Tag"]
    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]


def test_what_is_looked_at_carries_no_recipe(media, bob):
    _link, address = link_to(bob, media=media)
    answer = Client().get(f"{address}{media.pk}/view/")
    assert answer["Content-Type"] == "image/webp"
    assert b"secret prompt" not in answer.content
    with Image.open(BytesIO(answer.content)) as image:
        assert image.size == (64, 64)


def test_the_original_is_there_only_if_the_link_says_so(media, bob):
    _link, closed = link_to(bob, media=media)
    link, opened = link_to(bob, media=media, may_download=True)
    assert Client().get(f"{closed}{media.pk}/original/").status_code == 404
    assert Client().get(f"{closed}{media.pk}/tile/").status_code == 404
    answer = Client().get(f"{opened}{media.pk}/original/")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    link.refresh_from_db()
    assert link.downloaded == 1


def test_visits_are_counted(media, bob):
    link, address = link_to(bob, media=media)
    Client().get(address)
    Client().get(address)
    link.refresh_from_db()
    assert link.opened == 2
    assert link.last_opened


@pytest.mark.parametrize("end", ["revoked", "expired", "left", "viewer", "deactivated"])
def test_a_link_that_has_ended_looks_like_one_that_never_was(media, bob, studio, end):
    link, address = link_to(bob, media=media, may_download=True, expires=timezone.now() + timedelta(days=1))
    before = Client().get(f"/s/{'x' * 43}/")
    if end == "revoked":
        services.revoke_link(user=bob, link=link)
    elif end == "expired":
        ShareLink.objects.update(expires=timezone.now() - timedelta(seconds=1))
    elif end == "left":
        Membership.objects.filter(user=bob, team=studio).delete()
    elif end == "viewer":
        Membership.objects.filter(user=bob, team=studio).update(role=Role.VIEWER)
    else:
        bob.is_active = False
        bob.save()
    for path in (address, f"{address}{media.pk}/view/", f"{address}{media.pk}/original/"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert answer.content == before.content


def test_a_password_is_asked_for_once_and_guarded(media, bob):
    _link, address = link_to(bob, media=media, password="open sesame")
    client = Client()
    assert "secret" not in client.get(address).content.decode()
    assert client.get(f"{address}{media.pk}/view/").status_code == 404
    assert client.post(address, {"password": "sesame"}).status_code == 403
    assert client.post(address, {"password": "open sesame"}).status_code == 302
    assert client.get(f"{address}{media.pk}/view/").status_code == 200
    assert Client().get(f"{address}{media.pk}/view/").status_code == 404


def test_guessing_ends_after_ten_wrong_passwords_from_anywhere(media, bob):
    _link, address = link_to(bob, media=media, password="open sesame")
    statuses = [Client(REMOTE_ADDR=f"10.0.0.{n}").post(address, {"password": "no"}).status_code for n in range(11)]
    assert statuses == [403] * 10 + [429]
    assert Client().post(address, {"password": "open sesame"}).status_code == 429


def test_a_right_password_is_worth_nothing_at_another_link(media, bob):
    _one, address = link_to(bob, media=media, password="one")
    _two, other = link_to(bob, media=media, password="one")
    client = Client()
    client.post(address, {"password": "one"})
    cookie = next(iter(client.cookies.values()))
    assert cookie["path"] == address
    assert client.get(f"{other}{media.pk}/view/").status_code == 404


def test_very_many_requests_from_one_place_are_put_off(media, bob):
    _link, address = link_to(bob, media=media)
    client = Client()
    statuses = {client.get(f"{address}{media.pk}/nothing/").status_code for _n in range(241)}
    assert statuses == {404, 429}


def test_an_album_shows_what_stands_in_it_now_and_nothing_private(bob, studio, make_media):
    kept, hidden, binned, late = (make_media(bob) for _n in range(4))
    album = services.create_album(user=bob, team=studio, name="Spring", media=[kept.pk, hidden.pk, binned.pk])
    _link, address = link_to(bob, album=album)
    services.set_visibility(user=bob, media=hidden, visibility="private")
    services.trash_media(user=bob, media=binned)
    services.add_to_album(user=bob, album=album, media=[late.pk])
    page = Client().get(address).content.decode()
    assert [str(media.pk) in page for media in (kept, hidden, binned, late)] == [True, False, False, True]
    for media in (hidden, binned):
        assert Client().get(f"{address}{media.pk}/view/").status_code == 404


def test_a_picture_outside_the_link_is_not_in_it(media, bob, make_media):
    _link, address = link_to(bob, media=media)
    assert Client().get(f"{address}{make_media(bob).pk}/view/").status_code == 404


def test_a_private_picture_has_no_link_and_nobody_links_what_they_may_not(media, bob, victor, charlie, make_media):
    with pytest.raises(services.Refused):
        services.make_link(user=bob, media=make_media(bob, visibility="private"))
    for person in (victor, charlie):
        with pytest.raises(PermissionDenied):
            services.make_link(user=person, media=media)


def test_a_draft_leaves_with_the_word_on_it_where_the_policy_says_so(media, alice, bob, studio):
    services.set_policy(user=alice, team=studio, marks_drafts=True)
    _link, address = link_to(bob, media=media, may_download=True)

    def foot() -> tuple[int, ...]:
        with Image.open(BytesIO(Client().get(f"{address}{media.pk}/original/").content)) as image:
            return image.convert("RGB").getpixel((0, 63))

    drafted = foot()
    type(media).objects.update(review_state="approved")
    assert (drafted, foot()) == ((22, 22, 23), (204, 34, 34))


def test_the_token_is_shown_once_and_only_its_hash_is_kept(media, bob, as_):
    page = as_(bob).post(f"/gallery/{media.pk}/share/", {"days": "7", "name": "Agency"}).content.decode()
    link = ShareLink.objects.get()
    token = page.split("/s/")[1].split("/")[0]
    assert link.token_hash == ShareLink.hash(token)
    assert token not in as_(bob).get("/links/").content.decode()
    assert token not in as_(bob).get(f"/gallery/{media.pk}/share/").content.decode()


def test_the_brand_stands_on_the_page_and_of_an_uploaded_logo_only_the_pixels(media, alice, bob, studio, as_):
    data = logo()
    answer = as_(alice).post("/team/standards/brand/", {"name": "Brand & Sons", "logo": data})
    assert answer.status_code == 302
    _link, address = link_to(bob, media=media)
    assert "Brand &amp; Sons" in Client().get(address).content.decode()
    shown = Client().get(f"{address}logo/")
    with Image.open(BytesIO(shown.content)) as image:
        assert (image.format, image.size) == ("PNG", (32, 16))


def test_a_logo_that_is_no_picture_is_refused(alice, as_, studio):
    from django.core.files.uploadedfile import SimpleUploadedFile

    evil = SimpleUploadedFile("logo.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
    assert as_(alice).post("/team/standards/brand/", {"name": "x", "logo": evil}).status_code == 422
