"""Word lists in prompts, templates with gaps, suggestions from what the team likes."""

import pytest

from gallery.services import like_media
from generator import prompt_help
from generator.batches.matrix import MatrixError, escape, expand
from generator.models import Batch, Generation, Prompt, WordList
from generator.models.words import slots

LISTS = {"colour": ["red", "blue", "green"]}


def test_a_list_is_drawn_from_anew_for_each_prompt():
    prompts = {expand("a __colour__ shoe", LISTS)[0] for _time in range(60)}
    assert prompts == {"a red shoe", "a blue shoe", "a green shoe"}


def test_among_choices_a_list_is_all_of_its_words():
    assert expand("a {__colour__|plain} shoe", LISTS) == ["a red shoe", "a blue shoe", "a green shoe", "a plain shoe"]
    assert expand("a {dark __colour__|plain}", {"colour": ["red"]}) == ["a dark red", "a plain"]


def test_a_list_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(MatrixError, match=r"no word list “size”\. Your team has: __colour__"):
        expand("a __size__ shoe", LISTS)


@pytest.mark.parametrize("text", ["a __colour__ shoe", "a {b} _c \\_ __x", "__init__ \\{"])
def test_an_escaped_prompt_stands_for_itself(text):
    assert expand(escape(text), {**LISTS, "init": ["x"]}) == [text]


def test_the_seed_decides_what_is_drawn(as_, bob, studio, checkpoint):
    WordList.objects.create(team=studio, name="fruit", words=[f"fruit {n}" for n in range(50)])
    asked = {"prompt": "one __fruit__", "count": 1, "format": "square", "checkpoint": "starter", "seed": "7"}
    for _time in range(2):
        as_(bob).post("/create/", asked)
    drawn = set(Generation.objects.values_list("prompt", flat=True))
    assert len(drawn) == 1
    assert drawn.pop().startswith("one fruit ")
    assert Prompt.objects.get(user=bob).text == "one __fruit__"  # the history keeps what was written


def test_what_was_confirmed_is_what_is_made(as_, bob, studio, checkpoint):
    WordList.objects.create(team=studio, name="fruit", words=[f"fruit {n}" for n in range(50)])
    asked = {"prompt": "{red|blue} __fruit__", "count": 1, "format": "square", "checkpoint": "starter"}
    shown = as_(bob).post("/create/", asked).context
    confirmed = dict(shown["sent"]) | {"origin": "matrix", "batch": str(shown["number"])}
    as_(bob).post("/batches/start/", confirmed)
    made = {job.generation.prompt for job in Batch.objects.get().jobs.all()}
    assert made == {one.prompt for one in shown["samples"]}


def test_the_words_of_another_team_are_not_known(as_, charlie, studio, checkpoint):
    WordList.objects.create(team=studio, name="secret", words=["launch"])
    asked = {"prompt": "a __secret__", "count": 1, "format": "square", "checkpoint": "starter"}
    response = as_(charlie).post("/create/", asked)
    assert response.status_code == 422
    assert "launch" not in response.content.decode()


def test_gaps_are_found_once_each():
    assert slots("a [colour] shoe, [light], [colour]") == ["colour", "light"]


def test_the_teams_templates_come_before_those_that_ship(studio):
    studio.prompt_templates.create(name="Ours", text="our [thing]")
    found = prompt_help.templates(studio)
    assert found[0].is_own
    assert len(found) > 1
    assert [one.name for one in prompt_help.templates(studio, "OUR ")] == ["Ours"]


def test_what_the_team_likes_is_suggested_to_those_who_see_it(studio, alice, bob, carol, charlie, make_media):
    like_media(user=alice, media=make_media(bob, prompt="a red shoe on {sand}"), liked=True)
    make_media(bob, prompt="a red shoe nobody likes")
    like_media(user=bob, media=make_media(bob, prompt="a red secret shoe", visibility="private"), liked=True)
    texts = [one.text for one in prompt_help.suggestions(user=carol, team=studio, words="shoe red")]
    assert texts == [r"a red shoe on \{sand\}"]
    assert prompt_help.suggestions(user=charlie, team=studio, words="shoe red") == []


def test_two_letters_are_not_enough_to_suggest(studio, bob):
    assert prompt_help.suggestions(user=bob, team=studio, words="re") == []
