"""The history of prompts."""

import pytest
from django.urls import reverse

from accounts.models import User
from generator.models import Prompt

URL = reverse("generator:prompts")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def prompt(bob, make_job) -> Prompt:
    """One that bob wrote."""
    make_job(bob, prompt="a lighthouse in fog")
    return Prompt.objects.get()


def shown(client, **query) -> str:
    return client.get(URL, query, headers=HTMX).content.decode()


def test_strangers_are_sent_to_the_entrance(client, db):
    assert client.get(URL).status_code == 302


def test_own_ones_only_until_one_is_shared(as_, alice, bob, charlie, prompt):
    assert prompt.text in shown(as_(bob))
    assert prompt.text not in shown(as_(alice))
    assert prompt.text not in shown(as_(alice), shelf="team")
    as_(bob).post(reverse("generator:share_prompt", args=[prompt.pk]), {"on": 1})
    assert prompt.text in shown(as_(alice), shelf="team")
    assert prompt.text not in shown(as_(charlie), shelf="team")


def test_saved_ones_have_a_shelf(as_, bob, prompt):
    assert prompt.text not in shown(as_(bob), shelf="saved")
    as_(bob).post(reverse("generator:save_prompt", args=[prompt.pk]), {"on": 1})
    assert prompt.text in shown(as_(bob), shelf="saved")
    as_(bob).post(reverse("generator:save_prompt", args=[prompt.pk]), {"on": 0})
    assert prompt.text not in shown(as_(bob), shelf="saved")


def test_they_can_be_searched(as_, bob, make_job, prompt):
    make_job(bob, prompt="a red apple")
    assert "lighthouse" in shown(as_(bob), q="LIGHT")
    assert "apple" not in shown(as_(bob), q="LIGHT")


def test_an_unknown_shelf_is_an_error(as_, bob):
    assert as_(bob).get(URL, {"shelf": "top"}).status_code == 400


def test_without_htmx_it_is_a_page(as_, bob, prompt):
    page = as_(bob).get(URL).content.decode()
    assert "<html" in page
    assert prompt.text in page


@pytest.mark.parametrize("action", ["save", "share", "delete"])
@pytest.mark.parametrize(
    ("who", "is_shared", "status"),
    [("bob", False, 200), ("alice", False, 404), ("alice", True, 403), ("charlie", True, 404)],
)
def test_only_its_writer_changes_it(as_, alice, bob, charlie, prompt, action, who, is_shared, status):
    Prompt.objects.update(is_shared=is_shared)
    client = as_(User.objects.get(email=f"{who}@example.com"))
    response = client.post(reverse(f"generator:{action}_prompt", args=[prompt.pk]), {"on": 1}, headers=HTMX)
    assert response.status_code == status
    assert Prompt.objects.exists() == (action != "delete" or status != 200)
