"""Prompts with choices: every combination, exact escapes, errors that name their place."""

from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.batches.matrix import MOST, MatrixError, count, escape, expand

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CHOICE = WORDS.filter(lambda words: words.strip())


def test_every_combination_in_order():
    assert expand("{red|blue} shoe on {a beach|snow}") == [
        "red shoe on a beach",
        "red shoe on snow",
        "blue shoe on a beach",
        "blue shoe on snow",
    ]


def test_words_without_choices_are_themselves():
    assert expand("a shoe | a boot, 50% \\ off") == ["a shoe | a boot, 50% \\ off"]


def test_room_around_a_choice_is_nobodys():
    assert expand("{ red | blue }") == ["red", "blue"]


def test_signs_can_be_written():
    assert expand(r"a \{b\|c\} \\{d\|e|f}") == [r"a {b|c} \d|e", r"a {b|c} \f"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a {red", 3),
        ("{a|b} and {c|d", 11),
        ("{", 1),
        ("{}", 2),
        ("{red|}", 6),
        ("{|red}", 2),
        ("{red| |blue}", 6),
        ("{a{b|c}|d}", 3),
        ("red} shoe", 4),
        ("{red\\}", 1),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, position):
    for read in (expand, count):
        with pytest.raises(MatrixError) as caught:
            read(text)
        assert caught.value.position == position
        assert str(position) in str(caught.value)


def test_too_many_are_counted_not_made():
    text = "{a|b|c|d|e|f|g|h|i|j}" * 30
    assert count(text) == 10**30
    with pytest.raises(MatrixError, match=str(MOST)):
        expand(text)
    assert len(expand("{a|b|c|d|e}" * 3 + "{a|b|c|d}")) == MOST


@given(WORDS)
def test_an_escaped_prompt_stands_for_itself(prompt):
    assert expand(escape(prompt)) == [prompt]


@given(st.lists(st.tuples(WORDS, st.lists(CHOICE, min_size=1, max_size=3)), max_size=4), WORDS)
def test_any_choices_between_any_words(parts, end):
    text = "".join(
        _written(words) + "{" + "|".join(_written(choice) for choice in choices) + "}" for words, choices in parts
    )
    choices = [[words + choice.strip() for choice in of] for words, of in parts]
    assert expand(text + _written(end)) == ["".join(chosen) + end for chosen in product(*choices)]


def _written(words: str) -> str:
    return "".join(f"\\{sign}" if sign in "{}|\\" else sign for sign in words)


@given(st.text(alphabet="{}|\\ ab", max_size=30))
def test_any_text_is_expanded_or_refused(text):
    with suppress(MatrixError):
        assert len(expand(text)) == count(text) >= 1
