"""Saved searches: kept by one, seen by a team where they are shared, changed by their maker and by curators."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from gallery import services
from gallery.models import SavedSearch
from gallery.services import saved as service

URL = reverse("gallery:index")
SAVE = reverse("gallery:save_search")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shoes(bob, studio) -> SavedSearch:
    """What bob shares with the studio."""
    return services.save_search(user=bob, team=studio, name="Shoes", query="tab=team&q=shoe", is_shared=True)


def _listed(response) -> list[str]:
    return [line.saved.name for line in response.context["saved"]]


def test_what_the_page_shows_is_kept_under_a_name_and_opened_again(as_, bob, make_media):
    make_media(bob, prompt="a red shoe")
    make_media(bob, prompt="a pear")
    client = as_(bob)
    client.post(SAVE, {"name": " Shoes ", "query": client.get(URL + "?q=shoe&size=").context["canonical"]})
    saved = SavedSearch.objects.get()
    assert (saved.name, saved.owner, saved.is_shared) == ("Shoes", bob, False)
    page = client.get(saved.get_absolute_url())
    assert [tile.media.prompt for tile, _place in page.context["tiles"]] == ["a red shoe"]
    assert [line.is_current for line in page.context["saved"]] == [True]


@pytest.mark.parametrize("address", ["q=shoe&tab=mine", "q=shoe&sort=best", "tab=&q=shoe&colour=&before=x"])
def test_addresses_that_ask_for_the_same_are_kept_as_the_same(as_, bob, studio, address):
    as_(bob).post(SAVE, {"name": "Shoes", "query": address})
    assert SavedSearch.objects.get().query == "tab=mine&q=shoe"


def test_no_address_is_kept_that_is_no_search(as_, bob, studio):
    assert as_(bob).post(SAVE, {"name": "Shoes", "query": "since=yesterday"}).status_code == 404
    assert not SavedSearch.objects.exists()


def test_the_same_name_again_replaces(as_, bob, studio):
    for query in ("q=shoe", "q=boot"):
        as_(bob).post(SAVE, {"name": "Shoes", "query": query})
    assert [saved.query for saved in SavedSearch.objects.all()] == ["tab=mine&q=boot"]


def test_a_shared_one_is_for_the_team_and_for_nobody_else(as_, alice, victor, charlie, bob, studio, shoes):
    services.save_search(user=bob, team=studio, name="Own", query="tab=mine&q=pear")
    assert _listed(as_(bob).get(URL)) == ["Own", "Shoes"]
    for mate in (alice, victor):
        assert _listed(as_(mate).get(URL)) == ["Shoes"]
    assert _listed(as_(charlie).get(URL)) == []


def test_it_finds_what_whoever_opens_it_may_see(as_, carol, bob, make_media, shoes):
    make_media(bob, prompt="a secret shoe", visibility="private")
    seen = make_media(bob, prompt="a shoe")
    page = as_(carol).get(shoes.get_absolute_url())
    assert [tile.media.pk for tile, _place in page.context["tiles"]] == [seen.pk]


def test_only_who_may_organise_shares(as_, victor, studio):
    client = as_(victor)
    assert client.post(SAVE, {"name": "Shoes", "query": "q=shoe", "is_shared": "1"}).status_code == 403
    assert client.post(SAVE, {"name": "Shoes", "query": "q=shoe"}).status_code == 302
    change = reverse("gallery:change_search", args=[SavedSearch.objects.get().pk])
    assert client.post(change, {"name": "Shoes", "is_shared": "1"}).status_code == 403
    assert client.post(change, {"name": "Boots"}).status_code == 302
    assert "Share with the team" not in client.get(URL + "?q=shoe").content.decode()


def test_a_mate_sees_it_without_the_buttons_a_curator_with_them(as_, carol, mona, shoes):
    assert [line.is_editable for line in as_(carol).get(URL).context["saved"]] == [False]
    assert [line.is_editable for line in as_(mona).get(URL).context["saved"]] == [True]


def test_who_left_the_team_neither_sees_nor_changes_it(bob, studio, shoes):
    studio.memberships.get(user=bob).delete()
    assert not SavedSearch.objects.visible_to(bob).exists()
    with pytest.raises(PermissionDenied):
        services.delete_search(user=bob, saved=shoes)


def test_renaming_to_a_name_that_is_taken_says_so(as_, bob, studio, shoes):
    other = services.save_search(user=bob, team=studio, name="Boots", query="tab=mine&q=boot")
    address = reverse("gallery:change_search", args=[other.pk])
    answer = as_(bob).post(address, {"name": "Shoes"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Another saved search is called “Shoes”" in answer.content.decode()


def test_deleting_offers_to_undo_and_undoing_brings_it_back(as_, bob, shoes):
    client = as_(bob)
    answer = client.post(reverse("gallery:delete_search", args=[shoes.pk]), {"query": "q=shoe"}, headers=HTMX)
    undo = reverse("gallery:restore_search", args=[shoes.pk])
    assert undo in answer.content.decode()
    assert _listed(answer) == []
    answer = client.post(undo, {"query": "q=shoe"}, headers=HTMX)
    assert _listed(answer) == ["Shoes"]
    assert f'id="toast-{shoes.pk}" hx-swap-oob="delete"' in answer.content.decode()


def test_without_scripts_the_forms_lead_back_to_the_search(as_, bob, shoes):
    answer = as_(bob).post(reverse("gallery:delete_search", args=[shoes.pk]), {"query": "q=shoe"}, follow=True)
    assert answer.redirect_chain == [(f"{URL}?tab=mine&q=shoe", 302)]
    assert reverse("gallery:restore_search", args=[shoes.pk]) in answer.content.decode()


def test_the_deleted_ones_go_for_good_after_a_day(bob, shoes):
    services.delete_search(user=bob, saved=shoes)
    assert services.purge_searches() == 0
    SavedSearch.objects.update(deleted=timezone.now() - timedelta(days=2))
    assert services.purge_searches() == 1


def test_there_is_an_end_to_how_many_one_keeps(as_, bob, studio, monkeypatch, shoes):
    monkeypatch.setattr(service, "MOST", 1)
    answer = as_(bob).post(SAVE, {"name": "More", "query": "q=pear"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Delete one first" in answer.content.decode()
    assert as_(bob).post(SAVE, {"name": "Shoes", "query": "q=pear"}, headers=HTMX).status_code == 200  # replaces


def test_the_plain_gallery_is_not_worth_saving(as_, bob, studio):
    assert "Save this search as" not in as_(bob).get(URL).content.decode()
    assert "Save this search as" in as_(bob).get(URL + "?q=shoe").content.decode()
