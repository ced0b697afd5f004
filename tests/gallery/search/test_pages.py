"""What a page of a search holds: what one may see, all of it, once, in order; read by indexes, in few queries."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team
from gallery.models import Album, AlbumItem, AlbumMember, Like, Media
from gallery.search import Search, choices, neighbours, page, pages, reach
from gallery.services import count_opinions, set_tags
from tests.plans import plans, whole_reads

COUNT = 90
PEOPLE = ("alice", "bob", "victor", "charlie")


@pytest.fixture
def house(studio, alice, bob, charlie) -> Album:
    """Pictures of two teams with everything that a search asks for, some in an album that charlie is a guest of."""
    dice, now = random.Random(5), timezone.now()
    foreign = Team.objects.get(personal_of=charlie)
    rows = []
    for number in range(COUNT):
        owner, team = dice.choice([(alice, studio), (bob, studio), (bob, studio), (charlie, foreign)])
        facts = {
            "file": "x.png",
            "width": dice.choice([64, 900]),
            "height": 64,
            "bytes": 1,
            "sha256": "",
            "owner": owner,
            "prompt": dice.choice(["a red pear", "a blue pear tree", "a plum"]),
            "way": dice.choice(["text", "vary"]),
            "checkpoint": dice.choice(["One", "Two"]),
            "style": dice.choice(["", "Flat"]),
            "seed": number % 7,
            "visibility": dice.choice(["private", "team", "team", "published"]),
            "colours": dice.choice(["red", "blue red"]),
            "recipe": {"adapters": [{"name": "Shoe"}] if number % 9 == 0 else []},
            "review_state": dice.choice(["", "approved"]),
            "stars": float(dice.randrange(6)),
            "deleted": now if number % 15 == 0 else None,
        }
        rows.append(Media(team=team, created=now - timedelta(hours=number // 2), **facts))
    Media.objects.bulk_create(rows)
    Like.objects.bulk_create(Like(media=media, user=alice) for media in rows[::4])
    count_opinions(pictures=Media.objects.filter(stars__gte=0).filter(likes__user=alice))
    album = Album.objects.create(team=studio, owner=alice, name="Spring")
    AlbumItem.objects.bulk_create(AlbumItem(album=album, media=media) for media in rows[1:40:3] if media.team == studio)
    AlbumMember.objects.create(album=album, user=charlie)
    set_tags(user=bob, media=Media.objects.kept().filter(owner=bob, visibility="team").first(), words=["menu"])
    return album


def _all(query: dict, viewer, team, size: int = 7) -> list[Media]:
    search, found, after = Search(query), [], ""
    assert search.is_valid(), search.errors
    while True:
        part = page(search, viewer, team, after=after, size=size)
        found += part.pictures
        if not part.next:
            return found
        after = part.next


FILTERS = [
    {},
    {"q": "pear"},
    {"q": "re pea"},
    {"model": "One"},
    {"style": "Flat"},
    {"way": "vary"},
    {"adapter": "shoe"},
    {"tag": "menu"},
    {"status": "none"},
    {"status": "approved"},
    {"colour": "blue"},
    {"shape": "wide", "size": "medium"},
    {"seed": 3},
    {"stars": 4},
    {"likes": 1},
    {"model": "Two", "colour": "red", "q": "plum"},
]


@pytest.mark.parametrize("window", [5, 3000])
@pytest.mark.parametrize("name", PEOPLE)
def test_all_that_one_may_see_and_nothing_else(request, house, studio, monkeypatch, name, window):
    """Also where what matches has to be gathered, since it does not lie among the first."""
    monkeypatch.setattr(pages, "WINDOW", window)
    monkeypatch.setattr(pages, "WALKED", 2 * window)
    monkeypatch.setattr(pages, "SAMPLE", window)
    monkeypatch.setattr(reach.within, "__defaults__", (window,))
    monkeypatch.setattr(reach.last_of, "__defaults__", (window,))
    viewer = request.getfixturevalue(name)
    visible = Media.objects.visible_to(viewer).kept()
    for query in FILTERS:
        search = Search(query)
        assert search.is_valid()
        expected = set(search.narrow(visible, viewer).values_list("pk", flat=True))
        found = _all({**query, "tab": "all", "sort": "newest"}, viewer, None)
        assert found == sorted(found, key=lambda media: (media.created, media.pk), reverse=True)
        assert len(found) == len(expected), query
        assert {media.pk for media in found} == expected


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("newest", lambda m: (m.created, m.pk)),
        ("liked", lambda m: (m.like_count, m.created, m.pk)),
        ("rated", lambda m: (m.stars, m.created, m.pk)),
        ("oldest", lambda m: (-m.created.timestamp(), -m.pk.int)),
    ],
)
def test_every_order_goes_through_all_of_it(house, studio, alice, sort, key):
    found = _all({"tab": "team", "sort": sort}, alice, studio.pk)
    visible = Media.objects.visible_to(alice).kept().filter(team=studio)
    assert sorted(found, key=key, reverse=True) == found
    assert {media.pk for media in found} == set(visible.values_list("pk", flat=True))


def test_tabs_hold_what_they_say(house, studio, alice, charlie):
    items = Media.objects.kept().filter(places__album=house).exclude(visibility="private")
    assert {m.pk for m in _all({"tab": "shared"}, charlie, None)} == set(items.values_list("pk", flat=True))
    assert _all({"tab": "shared"}, alice, studio.pk) == []
    assert _all({"tab": "team"}, charlie, studio.pk) == []
    assert {m.owner for m in _all({"tab": "mine"}, alice, studio.pk)} == {alice}
    assert {m.visibility for m in _all({"tab": "published"}, charlie, None)} == {"published"}


def test_an_album_that_one_may_not_see_narrows_to_nothing(house, studio, bob, charlie):
    assert _all({"tab": "team", "album": str(house.pk)}, bob, studio.pk)
    Album.objects.filter(pk=house.pk).update(visibility="private")
    assert _all({"tab": "team", "album": str(house.pk)}, bob, studio.pk) == []
    assert _all({"tab": "all", "album": str(house.pk)}, charlie, None)  # as its guest


def test_the_best_match_comes_first_and_pages_follow(house, studio, alice, make_media):
    best = make_media(alice, prompt="a pear")
    Media.objects.filter(pk=best.pk).update(created=timezone.now() - timedelta(days=90))
    titled = Media.objects.get(pk=best.pk)
    titled.title = "Pear, pear"
    titled.save()
    found = _all({"tab": "team", "q": "pear"}, alice, studio.pk)
    assert found[0] == best
    newest = _all({"tab": "team", "q": "pear", "sort": "newest"}, alice, studio.pk)
    assert newest[-1] == best
    assert {m.pk for m in found} == {m.pk for m in newest}


@pytest.mark.parametrize("query", [{}, {"sort": "liked"}, {"q": "pear"}, {"colour": "blue", "sort": "oldest"}])
def test_the_picture_page_walks_the_same_order(house, studio, alice, query):
    query = {"tab": "team", **query}
    found = _all(query, alice, studio.pk)
    search = Search(query)
    assert search.is_valid()
    for at in (0, len(found) // 2, len(found) - 1):
        around = (found[at - 1] if at else None, found[at + 1] if at + 1 < len(found) else None)
        assert neighbours(search, alice, studio.pk, found[at]) == around


def test_days_are_whole_and_in_ones_own_time_zone(make_media, bob, studio):
    media = make_media(bob)
    day = timezone.localdate(media.created)
    for since, until, is_found in ((day, day, True), (day + timedelta(1), "", False), ("", day - timedelta(1), False)):
        assert bool(_all({"tab": "team", "since": since, "until": until}, bob, studio.pk)) == is_found


def test_choices_are_what_occurs_and_may_be_seen(house, studio, alice, bob, charlie, make_media):
    make_media(bob, style="Secret", visibility="private")
    team = choices(alice, "team", studio.pk)
    assert (team.models, team.styles, team.tags) == (["One", "Two"], ["Flat"], ["menu"])
    assert {name for _pk, name in team.people} == {"Alice", "Bob"}
    assert "Secret" in choices(bob, "mine", studio.pk).styles
    assert choices(charlie, "shared", studio.pk).models == ["One", "Two"]
    assert choices(charlie, "team", studio.pk).tags == []


def test_queries_do_not_grow_and_none_reads_the_whole_table(house, studio, alice):
    """With sequential scans forbidden a plan has one only where no index could serve."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE gallery_media; SET LOCAL enable_seqscan = off")
    more = [{"sort": "liked"}, {"sort": "rated"}, {"sort": "oldest"}, {"liked": 1}, {"album": house.pk}]
    for query in [*FILTERS, *more]:
        search = Search({"tab": "team", **query})
        assert search.is_valid()
        with plans() as found, CaptureQueriesContext(connection) as asked:
            page(search, alice, studio.pk, size=5)
        assert whole_reads(found) == []
        assert len(asked) <= 24
