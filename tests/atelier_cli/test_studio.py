"""Asking patiently: lost answers, limits, servers that restart, and what is no studio."""

import json

import pytest

from atelier_cli.studio import PAUSES
from atelier_cli.told import NO_KEY, UNREACHABLE, USAGE, Problem, Told
from tests.atelier_cli.conftest import hangs_up, says

OK = says(201, b'{"id": "1"}')


def _event(kind: str, seq: int, **more) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'attempt': 1, 'seq': seq, **more})}\n\n".encode()


def test_a_lost_answer_is_asked_for_again_under_the_same_key(far, studio, waits):
    far.answers = [hangs_up, says(503), OK]
    assert studio.post("generations", {"prompt": "a shoe"}) == {"id": "1"}
    keys = {headers["Idempotency-Key"] for _method, _path, headers in far.asked}
    assert (len(far.asked), len(keys), waits) == (3, 1, list(PAUSES[:2]))
    far.answers = [OK]
    studio.post("generations", {"prompt": "a shoe"})
    assert far.asked[-1][2]["Idempotency-Key"] not in keys


def test_a_limit_is_waited_out_as_long_as_the_studio_says(far, studio, waits):
    far.answers = [says(429, Retry_After="7"), says(200, b"[]")]
    assert studio.get("models") == []
    assert waits == [7]


def test_an_hour_is_not_waited_out(far, studio, waits):
    far.answers = [says(429, b'{"detail": "Too often."}', Retry_After="3600")]
    with pytest.raises(Problem, match="Too often"):
        studio.get("models")
    assert waits == []


def test_nobody_there(far, studio, waits):
    far.answers = [hangs_up] * 5
    with pytest.raises(Told, match=f"No studio answers at {far.url}") as told:
        studio.get("models")
    assert (told.value.status, waits) == (UNREACHABLE, list(PAUSES))


@pytest.mark.parametrize(
    ("answer", "words", "status"),
    [
        (says(401, b'{"detail": "Send a valid key."}'), "Send a valid key", NO_KEY),
        (says(404, b"<html>", Content_Type="text/html"), "404", 1),
        (says(200, b"<html>", Content_Type="text/html"), "no Atelier", UNREACHABLE),
        (says(301, Location="https://studio.example/"), "has moved to https://studio.example/", 1),
    ],
)
def test_what_is_said_of_other_answers(far, studio, answer, words, status):
    far.answers = [answer]
    with pytest.raises(Told, match=words) as told:
        studio.get("me")
    assert told.value.status == status


def test_mistakes_are_told_by_the_names_of_options_and_by_lines():
    errors = [
        {"path": "body.aspect.0", "message": "Too small."},
        {"path": "body.generations.1.checkpoint", "message": "Not there."},
        {"path": "body.generations", "message": "Too many."},
    ]
    told = Problem(422, {"detail": "No.", "errors": errors}).in_words(
        {"aspect": "--size", "checkpoint": "model"}, [2, 5]
    )
    assert str(told).splitlines() == [
        "--size: Too small.",
        "line 5, model: Not there.",
        "body.generations: Too many.",
    ]
    assert told.status == USAGE


def test_following_goes_on_when_the_line_breaks(far, studio):
    begins = _event("job.snapshot", 1) + _event("job.progress", 3)
    ends = _event("job.progress", 2) + _event("job.progress", 4) + _event("job.done", 5, media=["m"])
    far.answers = [says(200, begins, length=9999), says(200, ends)]
    heard = []
    ended = studio.follow("j", lambda event: heard.append(event["seq"]))
    assert heard == [1, 3, 4, 5]  # an older one than the last is dropped
    assert ended["media"] == ["m"]
