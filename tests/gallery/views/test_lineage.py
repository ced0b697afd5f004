"""Where a picture comes from: what the viewer may not see is no part of it."""

from django.urls import reverse

from gallery.models import Media
from gallery.views.lineage import compare, lineage


def _made_from(media: Media, source: Media) -> Media:
    Media.objects.filter(pk=media.pk).update(made_from=source, way="inpaint")
    media.refresh_from_db()
    return media


def test_the_line_that_leads_to_a_picture_and_what_came_of_it(bob, make_media):
    first = make_media(bob)
    second = _made_from(make_media(bob), first)
    third = _made_from(make_media(bob), second)
    other = _made_from(make_media(bob), second)
    found = lineage(second, bob)
    assert [tile.media for tile, _way in found.ancestors] == [first]
    assert [tile.media for tile, _way in found.children] == [third, other]
    assert [tile.media for tile, _way in lineage(third, bob).ancestors] == [first, second]


def test_what_is_private_or_thrown_away_ends_the_line(bob, alice, as_, make_media):
    hidden = make_media(bob, visibility="private")
    shown = _made_from(make_media(bob), hidden)
    _made_from(make_media(bob, visibility="private"), shown)
    assert not lineage(shown, alice)
    page = as_(alice).get(reverse("gallery:picture", args=[shown.pk])).content.decode()
    assert str(hidden.pk) not in page
    assert lineage(shown, bob)
    Media.objects.filter(pk=hidden.pk).update(deleted=hidden.created)
    assert lineage(shown, bob).ancestors == []


def test_an_original_lies_where_it_lay_when_it_was_extended(bob, make_media):
    before = make_media(bob)
    after = make_media(bob, margins={"left": 32, "top": 0, "right": 32, "bottom": 0})
    after.width = 128
    assert compare(before, after, bob).place == "--x: 25.0000%; --y: 0.0000%; --w: 50.0000%; --h: 100.0000%"
    assert compare(before, make_media(bob), bob).place.endswith("--w: 100.0000%; --h: 100.0000%")


def test_the_pages_of_what_was_made_of_another(bob, as_, make_media):
    before = make_media(bob)
    after = _made_from(make_media(bob, source=str(before.pk)), before)  # of a brought picture `source` is its file
    for name in ("picture", "look"):
        page = as_(bob).get(reverse(f"gallery:{name}", args=[after.pk]))
        assert page.status_code == 200
        assert after.prompt in page.content.decode()
