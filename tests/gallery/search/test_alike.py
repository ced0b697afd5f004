"""Search by meaning and "more like this", with the real model, in a worker that answers at once or not at all."""

import time
from uuid import uuid4

import pytest
from celery import current_app
from django.core.management import call_command
from django.urls import reverse

from gallery import services, tasks
from gallery.search import alike
from gallery.services import meaning

URL = reverse("gallery:index")
SHOES = ("running shoes, studio photo", "sneakers on a white table")
OTHERS = ("a green pear", "a mountain lake at dawn")
DONE_BY = {services.ALIKE: tasks.alike, services.UNDERSTAND: tasks.understand}


@pytest.fixture(autouse=True)
def _own_vectors(settings, tmp_path, monkeypatch):
    settings.ATELIER_HOME = tmp_path
    test = uuid4().hex  # answers outlive a test
    monkeypatch.setattr(alike, "KEY", f"meaning:{test}")
    monkeypatch.setattr(services, "NO_READER", f"away:{test}")
    monkeypatch.setattr(meaning, "NO_READER", f"away:{test}")
    monkeypatch.setattr(meaning, "PLACE", f"place:{test}")


@pytest.fixture
def worker(monkeypatch) -> list[str]:
    """One that does what is sent to it at once; what was sent."""
    sent: list[str] = []

    def send(name, args, **_options):
        sent.append(name)
        if name in DONE_BY:
            DONE_BY[name](*args)

    monkeypatch.setattr(current_app, "send_task", send)
    return sent


@pytest.fixture
def nobody(monkeypatch) -> list[str]:
    """No worker: what is sent stays where it is."""
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_options: sent.append(name))
    return sent


@pytest.fixture
def pictures(bob, make_media) -> list:
    made = [make_media(bob, prompt=prompt) for prompt in (*SHOES, *OTHERS)]
    services.understand(pks=[media.pk for media in made])
    return made


def _shown(response) -> list[str]:
    return [tile.media.prompt for tile, _place in response.context["tiles"]]


def test_it_finds_what_says_the_same_in_other_words(as_, bob, pictures, worker):
    client = as_(bob)
    assert _shown(client.get(URL, {"q": "footwear"})) == []
    assert set(_shown(client.get(URL, {"q": "footwear", "meaning": "1"}))) == set(SHOES)


def test_more_like_this_is_without_this(as_, bob, pictures, worker):
    client = as_(bob)
    assert f"like={pictures[0].pk}" in client.get(pictures[0].get_absolute_url()).content.decode()
    response = client.get(URL, {"like": pictures[0].pk})
    assert _shown(response) == [SHOES[1]]
    assert SHOES[0] in response.content.decode()  # the chip says of what


def test_a_picture_that_is_not_known_yet_is_taken_in_when_it_is_asked_for(as_, bob, pictures, make_media, worker):
    late = make_media(bob, prompt="leather boots")
    assert set(_shown(as_(bob).get(URL, {"like": late.pk}))) == set(SHOES)


def test_a_private_picture_of_another_never_appears(as_, alice, carol, charlie, bob, pictures, make_media, worker):
    hidden = make_media(bob, prompt="secret running shoes", visibility="private")
    services.understand(pks=[hidden.pk])
    for person in (alice, carol, charlie):
        for tab in ("mine", "team", "shared", "published"):
            for asked in ({"q": "running shoes", "meaning": "1"}, {"like": pictures[0].pk}):
                response = as_(person).get(URL, {"tab": tab, **asked})
                assert hidden.prompt not in response.content.decode()
    assert hidden.prompt in _shown(as_(bob).get(URL, {"q": "running shoes", "meaning": "1"}))


def test_nothing_is_like_what_one_may_not_see(as_, carol, bob, pictures, make_media, worker):
    hidden = make_media(bob, prompt="secret running shoes", visibility="private")
    worker.clear()
    for pk in (hidden.pk, uuid4()):
        response = as_(carol).get(URL, {"tab": "team", "like": pk})
        assert _shown(response) == []
        assert hidden.prompt not in response.content.decode()
    assert worker == []


def test_filters_narrow_what_is_alike(as_, bob, pictures, worker):
    services.set_tags(user=bob, media=pictures[1], words=["spring"])
    assert _shown(as_(bob).get(URL, {"q": "footwear", "meaning": "1", "tag": "spring"})) == [SHOES[1]]
    assert _shown(as_(bob).get(URL, {"like": pictures[0].pk, "q": "white"})) == [SHOES[1]]
    assert _shown(as_(bob).get(URL, {"q": "footwear", "meaning": "1", "tag": "autumn"})) == []


def test_without_a_worker_the_page_says_so_and_searches_words(as_, bob, pictures, nobody):
    begun = time.monotonic()
    response = as_(bob).get(URL, {"q": "pear", "meaning": "1"})
    assert time.monotonic() - begun < alike.WAITS + 4  # the rest is the page, on a busy machine
    assert _shown(response) == ["a green pear"]
    assert "No worker has answered in time" in response.content.decode()
    assert nobody == [services.ALIKE]


def test_after_one_wait_in_vain_nobody_else_waits(monkeypatch, pictures, nobody):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(alike, "WAITS", 0.05)
    assert alike.alike(text="pear") is None
    assert waits
    waits.clear()
    assert alike.alike(text="plum") is None
    assert not waits


def test_pages_wait_again_as_soon_as_somebody_answers(monkeypatch, pictures, nobody):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(alike, "WAITS", 0.05)
    assert alike.alike(text="pear") is None
    services.answer_alike(key=f"{alike.KEY}:late", text="pear", media=None)
    waits.clear()
    assert alike.alike(text="plum") is None
    assert waits


def test_an_answer_serves_for_some_minutes(pictures, worker):
    first = alike.alike(text="Footwear!")
    assert first
    assert alike.alike(text=" footwear") == first
    assert worker.count(services.ALIKE) == 1


def test_a_late_answer_serves_the_next_page(as_, bob, pictures, nobody, monkeypatch):
    monkeypatch.setattr(alike, "WAITS", 0.0)
    asked = {"q": "footwear", "meaning": "1"}
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_options: nobody.append(args))
    assert _shown(as_(bob).get(URL, asked)) == []
    tasks.alike(*nobody[0])
    assert set(_shown(as_(bob).get(URL, asked))) == set(SHOES)


def test_new_pictures_are_taken_in(bob, make_media, worker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        media = make_media(bob, prompt="a kite")
    assert meaning.matrix().has([media.pk]) == {media.pk}


def test_what_was_left_out_is_found_a_stretch_at_a_time(bob, make_media, nobody, monkeypatch):
    made = [make_media(bob, prompt=f"{n} kites") for n in range(5)]
    make_media(bob, prompt="")
    monkeypatch.setattr(meaning, "LOOKED_AT", 2)
    taken = [services.understand_missing(seconds=30) for _look in range(4)]
    assert taken == [2, 2, 1, 0]
    assert len(meaning.matrix().rows()) == len(made)


def test_all_of_it_can_be_made_anew_without_what_is_gone(bob, pictures, nobody, capsys):
    services.trash_media(user=bob, media=pictures[0])
    call_command("index_meaning")
    assert capsys.readouterr().out.strip() == "3 pictures"
    assert meaning.matrix().has([media.pk for media in pictures]) == {media.pk for media in pictures[1:]}
