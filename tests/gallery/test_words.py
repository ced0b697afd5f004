"""Words: cut alike for both databases, found by their beginnings, shown where they were found."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.models import Media
from gallery.models.words import shape_of, size_of
from gallery.services import index_words, set_tags, set_title, tag_many
from gallery.words import Wanted, Words, cut, highlight, mark, snippet


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A red Apple, 3d-icon", ["a", "red", "apple", "3d", "icon"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("Straße Łódź Ærø", ["strasse", "lodz", "aero"]),
        ("foo.bar@example.com 1e5 -7", ["foo", "bar", "example", "com", "1e5", "7"]),
        ("snake_case\0null", ["snake", "case", "null"]),
        ("ﬁne ½ ²", ["fine", "1", "2", "2"]),
        ("!? —", []),
    ],
)
def test_texts_are_cut_into_letters_and_digits(text, words):
    assert cut(text) == words


def _matches(query: str, marks: tuple[str, ...] = ()) -> set[str]:
    found = Media.objects.filter(words__matches=Wanted.of(query, marks))
    return set(found.values_list("prompt", flat=True))


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("creme", True),
        ("CRÈME bru", True),
        ("brulee creme", True),
        ("rème", False),
        ("creme cake", False),
        ("colour", False),
        ("red' | 'x", False),
        ('" OR prompt:*', False),
        ("NOT zebra", False),
    ],
)
def test_all_words_must_be_there_and_their_beginning_is_enough(make_media, bob, query, is_found):
    make_media(bob, prompt="Crème brûlée")
    assert bool(_matches(query)) == is_found


letters = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.fixture
def texts(studio, bob) -> list[str]:
    """Pictures with prompts from many scripts."""
    prompts = ["Ünïcode ﬁne", "赤いりんご apple", "Яблоко 3d", "τυρί", "naïve ½ café", "İstanbul ığdır"]
    prompts += ["a_b-c.d", "हिन्दी", "e\u0301 é"]
    facts = {"team": studio, "owner": bob, "file": "x", "width": 1, "height": 1, "bytes": 1, "sha256": ""}
    Media.objects.bulk_create(Media(**facts, prompt=prompt) for prompt in prompts)
    return prompts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_databases_find_the_same_set(texts, data):
    """Each is compared with one model in Python, whatever is typed: so they agree with each other."""
    part = st.sampled_from(texts).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[end // 2 : end]))
    query = data.draw(st.one_of(part, letters))
    wanted = Wanted.of(query)
    if not wanted:
        return
    model = {text for text in texts if all(any(word.startswith(one) for word in cut(text)) for one in wanted.words)}
    assert _matches(query) == model


def test_marks_are_exact(make_media, bob):
    media = make_media(bob, prompt="a pear")
    set_tags(user=bob, media=media, words=["summer sale"])
    assert _matches("", (mark("tag", "summer sale"),)) == {"a pear"}
    assert _matches("", (mark("tag", "summer"),)) == set()
    assert _matches("pear", (mark("colour", "red"), mark("shape", "square"), mark("size", "small"))) == {"a pear"}


def test_words_follow_title_tags_and_prompt(make_media, bob):
    media = make_media(bob, prompt="a pear")
    set_title(user=bob, media=media, title="Harvest")
    set_tags(user=bob, media=media, words=["autumn"])
    assert _matches("harv aut pear") == {"a pear"}
    set_title(user=bob, media=media, title="")
    assert _matches("harvest") == set()
    tag_many(user=bob, media=[media.pk], words=["menu"])
    assert _matches("menu autumn") == {"a pear"}
    Media.objects.filter(pk=media.pk).update(prompt="a plum")
    index_words(media=media)
    assert _matches("plum") == {"a plum"}
    Media.objects.get(pk=media.pk).delete()
    assert _matches("plum") == set()


def test_matches_are_marked_where_they_stand():
    wanted = Wanted.of("creme app")
    assert highlight("A Crème, Apples", wanted) == [("A ", False), ("Crème", True), (", ", False), ("Apples", True)]
    long = "far away " * 9 + "an apple tree"
    assert snippet(["Nothing here", long], wanted)[1:] == [("apple", True), (" tree", False)]
    assert snippet(["Nothing"], wanted) == []


def test_sizes_and_shapes():
    edges = ((64, 64), (1024, 768), (1536, 64), (4096, 1))
    assert [size_of(*one) for one in edges] == ["small", "medium", "large", "huge"]
    ratios = ((1, 3), (2, 3), (1, 1), (3, 2), (3, 1))
    assert [shape_of(*one) for one in ratios] == ["tall", "portrait", "square", "landscape", "wide"]


def test_on_sqlite_more_and_weightier_words_rank_higher():
    wanted = Wanted.of("red app")
    in_title = Words(title=("red", "apple"), prompt=("a", "photo")).as_line()
    in_prompt = Words(title=("a", "photo"), prompt=("red", "apple")).as_line()
    often = Words(prompt=("red", "apple", "apples")).as_line()
    assert wanted.rank(in_title) > wanted.rank(often) > wanted.rank(in_prompt) > 0
    assert wanted.rank("=colour=red a pear") == 0, "marks are no words"
