"""The gallery's pages: who sees what in which tab, filters, and keyset paging."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gallery.models import Media
from gallery.search import PAGE

URL = reverse("gallery:index")


def shown(client, **query) -> list[Media]:
    """The pictures of a page, in order."""
    return [tile.media for tile, _place in client.get(URL, query).context["tiles"]]


def test_strangers_are_sent_to_the_entrance(client, db):
    assert client.get(URL).url.startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("who", "tab", "visibility", "is_shown"),
    [
        ("alice", "mine", "private", True),
        ("alice", "team", "private", True),
        ("bob", "mine", "team", False),
        ("bob", "team", "team", True),
        ("bob", "team", "private", False),
        ("victor", "team", "team", True),
        ("charlie", "team", "team", False),
        ("charlie", "published", "team", False),
        ("charlie", "published", "published", True),
        ("charlie", "team", "published", False),
    ],
)
def test_who_sees_what(as_, alice, bob, victor, charlie, make_media, who, tab, visibility, is_shown):
    media = make_media(alice, visibility=visibility)
    client = as_(User.objects.get(email=f"{who}@example.com"))
    assert (media in shown(client, tab=tab)) == is_shown


def test_an_open_page_learns_what_its_first_page_would_hold_now(as_, alice, bob, charlie, make_media):
    old = make_media(bob, prompt="a pear")
    make_media(bob, prompt="a pear", visibility="private")
    new, _other = make_media(bob, prompt="a pear"), make_media(bob, prompt="a plum")
    ask = {"tab": "team", "q": "pear", "sort": "newest"}
    assert as_(alice).get(reverse("gallery:first"), ask).json()["media"] == [str(new.pk), str(old.pk)]
    assert as_(charlie).get(reverse("gallery:first"), ask).json()["media"] == []
    assert as_(alice).get(reverse("gallery:first"), {"tab": "nobody's"}).status_code == 404


def test_the_first_tab_is_ones_own(as_, alice, bob, make_media):
    own, other = make_media(alice), make_media(bob)
    assert shown(as_(alice)) == [own]
    assert other not in shown(as_(alice))


def test_what_is_in_the_trash_is_in_no_tab(as_, alice, make_media):
    make_media(alice, visibility="published")
    Media.objects.update(deleted=timezone.now())
    for tab in ("mine", "team", "published"):
        assert shown(as_(alice), tab=tab) == []


def test_filters_narrow_and_can_be_taken_away(as_, alice, make_media):
    apple = make_media(alice, prompt="a red apple", style="3D icon", checkpoint="Starter")
    make_media(alice, prompt="a blue whale", style="Flat", checkpoint="Other")
    client = as_(alice)
    for query in ({"q": "APPLE"}, {"style": "3D icon"}, {"model": "Starter"}):
        assert shown(client, **query) == [apple]
    response = client.get(URL, {"q": "apple", "style": "3D icon"})
    addresses = [address for _label, _value, address in response.context["removable"]]
    assert addresses == ["?tab=mine&style=3D+icon", "?tab=mine&q=apple"] or addresses == ["?style=3D+icon", "?q=apple"]


def test_filters_offer_what_the_tab_holds(as_, alice, bob, make_media):
    make_media(alice, style="3D icon")
    make_media(bob, style="Flat")
    make_media(bob, style="Secret", visibility="private")

    def offered(**query) -> dict[str, list[str]]:
        panel = as_(alice).get(URL, query).context["panel"]
        return {select.name: [label for _value, label in select.options] for select in panel.selects}

    assert "style" not in offered()  # a single one is no choice
    assert offered(style="3D icon")["style"] == ["3D icon"]
    assert offered(tab="team")["style"] == ["3D icon", "Flat"]
    assert offered(tab="team")["person"] == ["Alice", "Bob"]


def test_empty_pages_say_what_will_be_there(as_, alice):
    for tab in ("mine", "team", "published"):
        assert 'class="empty"' in as_(alice).get(URL, {"tab": tab}).content.decode()
    assert "Nothing matches" in as_(alice).get(URL, {"q": "x"}).content.decode()


@pytest.mark.parametrize("before", ["rubbish", "é", "MjAyNi0wMS0wMSB4"])
def test_addresses_that_never_were_are_not_found(as_, alice, before):
    assert as_(alice).get(URL, {"before": before}).status_code == 404
    assert as_(alice).get(URL, {"tab": "all"}).status_code == 404


def test_every_page_has_its_address_and_no_picture_is_lost_or_twice(as_, alice, studio):
    # Half of them share their moment, so that the id has to decide.
    now = timezone.now()
    facts = {"team": studio, "owner": alice, "file": "x.png", "width": 64, "height": 64, "bytes": 1, "sha256": ""}
    count = 2 * PAGE + 5
    Media.objects.bulk_create(Media(**facts, created=now - timedelta(seconds=n // 2)) for n in range(count))
    client, found, query = as_(alice), [], ""
    for length in (PAGE, PAGE, 5):
        response = client.get(URL + query)
        page = [tile.media.pk for tile, _place in response.context["tiles"]]
        assert len(page) == length
        found += page
        query = response.context["next"]
    assert query == ""
    assert found == list(Media.objects.order_by("-created", "-id").values_list("pk", flat=True))


def test_a_page_that_scrolls_on_comes_without_its_frame(as_, alice, studio):
    facts = {"team": studio, "owner": alice, "file": "x.png", "width": 64, "height": 64, "bytes": 1, "sha256": ""}
    Media.objects.bulk_create(Media(**facts) for _n in range(PAGE + 1))
    client = as_(alice)
    following = client.get(URL).context["next"]
    fragment = client.get(URL + following, headers={"HX-Request": "true"}).content.decode()
    assert fragment.count("<figure") == 1
    assert "<html" not in fragment


def test_the_number_of_queries_does_not_grow_with_the_pictures(as_, alice, make_media, django_assert_max_num_queries):
    for _n in range(8):
        make_media(alice)
    client = as_(alice)
    with django_assert_max_num_queries(22):
        client.get(URL)
