"""How long it would take, in the composer's line."""

import pytest
from django.urls import reverse
from django.utils import timezone

from generator.models import Worker

URL = reverse("generator:estimate")


@pytest.fixture
def asked(checkpoint) -> dict[str, object]:
    """What the composer sends while somebody changes it."""
    return {"checkpoint": checkpoint.slug, "format": "square", "count": 4, "steps": 20}


def test_strangers_learn_nothing(client, asked):
    assert client.get(URL, asked).url.startswith(reverse("account_login"))


def test_it_says_how_long_and_how_many_are_left(as_, bob, asked):
    Worker.objects.create(name="one", seen=timezone.now())
    bob.pictures_per_day = 17
    bob.save()
    text = as_(bob).get(URL, asked).content.decode()
    assert "about" in text
    assert "17 left today" in text


def test_without_a_worker_it_says_so(as_, alice, asked):
    assert "no worker is running" in as_(alice).get(URL, asked).content.decode()


def test_others_in_line_are_counted(as_, alice, bob, asked, make_job):
    Worker.objects.create(name="one", seen=timezone.now())
    make_job(bob)
    assert "1 job before it" in as_(alice).get(URL, asked).content.decode()


@pytest.mark.parametrize("wrong", [{"count": 99}, {"checkpoint": "?"}, {"format": "circle"}, {"steps": "many"}])
def test_half_typed_numbers_give_an_empty_line(as_, alice, asked, wrong):
    response = as_(alice).get(URL, {**asked, **wrong})
    assert response.status_code == 200
    assert response.content.strip() == b""
