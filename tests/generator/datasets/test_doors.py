"""A data set through the page of its batch and over the API: owner, team-mate, outsider, and nobody."""

import pytest
from django.test import Client

from gallery import services as gallery
from gallery.models import Export
from generator.services import datasets
from tests.generator.datasets.conftest import COPY

ROWS = [("a bottle", "Bottle", [41, COPY])]
JSON = {"content_type": "application/json"}


def test_the_page_of_a_finished_batch_says_what_is_compared(as_, bob, finished, adapter):
    page = as_(bob).get(finished(bob, ROWS, worn=adapter).get_absolute_url()).content.decode()
    assert "Compared with the 3 pictures that it has learned from." in page
    assert "What it has learned from is not known here" in page
    assert f'min="{datasets.LEAST}" max="{datasets.MOST}" value="{datasets.USUAL}"' in page


def test_one_that_goes_on_offers_none(as_, bob, make_batch):
    assert "data-set" not in as_(bob).get(make_batch(bob).get_absolute_url()).content.decode()


@pytest.mark.parametrize(("person", "status"), [("bob", 302), ("alice", 302), ("victor", 302), ("charlie", 404)])
def test_the_form_leads_to_ones_exports(person, status, request, as_, bob, finished, adapter):
    address = f"{finished(bob, ROWS, worn=adapter).get_absolute_url()}data-set/"
    user = request.getfixturevalue(person)
    response = as_(user).post(address, {"bound": "40"})
    assert response.status_code == status
    found = Export.objects.filter(owner=user)
    assert found.count() == (status == 302)
    if status == 302:
        assert (response["Location"], found.get().wishes["bound"], found.get().total) == ("/exports/", 40, 2)
        gallery.drain_deliveries()
        assert "Bottles (data set)" in as_(user).get("/exports/").content.decode()


def test_a_bound_that_is_none_leads_back_with_a_sentence(as_, bob, finished):
    batch = finished(bob, ROWS)
    for bound in ("5", "many"):
        response = as_(bob).post(f"{batch.get_absolute_url()}data-set/", {"bound": bound}, follow=True)
        assert response.redirect_chain[0][0] == batch.get_absolute_url()
        assert list(response.context["messages"])
    assert not Export.objects.exists()


def test_over_the_api_it_is_an_export_to_watch_and_fetch(calls, bob, alice, charlie, finished, adapter):
    path = f"/api/v1/batches/{finished(bob, ROWS, worn=adapter).pk}/data-set"
    client = calls(alice)
    told = client.post(path, {"bound": 40, "name": "For the classifier"}, **JSON).json()
    assert (told["state"], told["name"], told["total"]) == ("queued", "For the classifier", 2)
    gallery.drain_deliveries()
    done = client.get(f"/api/v1/exports/{told['id']}").json()
    assert (done["state"], done["done"]) == ("done", 2)
    assert done["notes"][0].startswith("1 picture was left out")
    assert calls(bob).get(f"/api/v1/exports/{told['id']}").status_code == 404, "an export is one's own"
    assert calls(charlie).post(path, **JSON).status_code == 404
    assert Client().post(path, **JSON).status_code == 401


def test_the_api_takes_no_body_a_key_once_and_no_wrong_bound(calls, bob, finished):
    path, client = f"/api/v1/batches/{finished(bob, ROWS).pk}/data-set", calls(bob)
    one, two = (client.post(path, **JSON, headers={"Idempotency-Key": "abc"}).json() for _ in range(2))
    assert one["id"] == two["id"]
    assert Export.objects.get().wishes["bound"] == datasets.USUAL
    for wrong in ({"bound": 31}, {"bound": 97}, {"limit": 40}):
        assert client.post(path, wrong, **JSON).status_code == 422
