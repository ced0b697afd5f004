"""Pictures of the gallery for a draft, in the browser's pages: looked for, ticked, taken together."""

from uuid import uuid4

import pytest
from django.urls import reverse

from gallery.models import Media

pytestmark = pytest.mark.django_db
PAGE = 40


@pytest.fixture
def address(make_training, bob) -> str:
    return f"/train/{make_training(bob).pk}/"


def test_the_teams_pictures_are_ticked_and_taken(as_, address, bob, alice, make_media):
    client = as_(bob)
    assert f'{address}gallery/"' in client.get(address).content.decode()
    lamp = make_media(alice, prompt="a lamp", visibility=Media.Visibility.TEAM)
    chair = make_media(bob, prompt="a chair", visibility=Media.Visibility.TEAM)
    make_media(bob, prompt="a secret", visibility=Media.Visibility.PRIVATE)
    page = client.get(f"{address}gallery/").content.decode()
    assert str(lamp.pk) in page
    assert str(chair.pk) in page
    assert "a secret" not in page
    answer = client.post(f"{address}gallery/take/", {"media": [chair.pk, lamp.pk, chair.pk]}, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    assert "2 pictures taken." in answer.content.decode()
    taken = answer.context["training"].pictures.all()
    assert [picture.media for picture in taken] == [chair, lamp]
    assert [picture.caption for picture in taken] == ["a chair", "a lamp"]
    page = client.get(f"{address}gallery/").content.decode()
    assert page.count("checked disabled") == 2


def test_they_are_found_by_words_and_page_by_page(as_, address, bob, make_media, monkeypatch):
    monkeypatch.setattr("gallery.search.pages.page.__kwdefaults__", {"after": "", "size": 2})
    made = [make_media(bob, prompt=f"a chair {n}", visibility=Media.Visibility.TEAM) for n in range(3)]
    lamp = make_media(bob, prompt="a lamp", visibility=Media.Visibility.TEAM)
    client = as_(bob)
    first = client.get(f"{address}gallery/?q=chair")
    assert str(lamp.pk) not in first.content.decode()
    second = client.get(f"{address}gallery/", {"q": "chair", "before": first.context["next"]})
    shown = [tile.media for answer in (first, second) for tile in answer.context["tiles"]]
    assert sorted(media.pk for media in shown) == sorted(media.pk for media in made)
    assert "No picture of the team has these words" in client.get(f"{address}gallery/?q=zebra").content.decode()
    assert client.get(f"{address}gallery/?before=nonsense").status_code == 404


def test_all_are_taken_or_none(as_, address, bob, make_media):
    client = as_(bob)
    good = make_media(bob, visibility=Media.Visibility.TEAM)
    private = make_media(bob, visibility=Media.Visibility.PRIVATE)

    def take(*media) -> str:
        answer = client.post(f"{address}gallery/take/", {"media": media}, follow=True)
        assert answer.redirect_chain == [(f"{address}gallery/", 302)]
        assert not answer.context["training"].pictures.exists()
        return answer.content.decode()

    assert "Tick the pictures" in take()
    assert "not there any more" in take(good.pk, uuid4())
    assert "This picture is private" in take(good.pk, private.pk)
    assert client.post(f"{address}gallery/take/", {"media": ["x"]}).status_code == 404


def test_what_has_been_started_takes_none(as_, address, bob, make_media, make_training):
    training = make_training(bob, spec={"name": "x"})
    client, media = as_(bob), make_media(bob, visibility=Media.Visibility.TEAM)
    assert client.get(f"/train/{training.pk}/gallery/").status_code == 404
    answer = client.post(f"/train/{training.pk}/gallery/take/", {"media": media.pk}, follow=True)
    assert "This has been started and is fixed." in answer.content.decode()


def test_an_empty_gallery_says_where_pictures_come_from(as_, address, bob):
    page = as_(bob).get(f"{address}gallery/").content.decode()
    assert "appears here" in page
    assert f'href="{reverse("gallery:import")}"' in page


def test_a_picture_of_the_gallery_is_shown_to_who_sees_it_there(as_, address, bob, carol, charlie, make_media):
    lamp = make_media(bob, prompt="a lamp", visibility=Media.Visibility.TEAM)
    answer = as_(bob).post(f"{address}gallery/take/", {"media": lamp.pk}, follow=True)
    [picture] = answer.context["training"].pictures.all()
    at = reverse("generator:training_picture", args=[picture.pk])
    assert f'src="{at}"' in answer.content.decode()
    shown = as_(carol).get(at, follow=True)
    assert shown.status_code == 200
    assert shown["Content-Type"].startswith("image/")
    assert as_(charlie).get(at).status_code == 404
    Media.objects.filter(pk=lamp.pk).update(visibility=Media.Visibility.PRIVATE)
    assert as_(carol).get(at).status_code == 404
