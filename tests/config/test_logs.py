"""Lines in the log: one JSON object each, with the request and the job that they belong to, and nothing secret."""

import io
import json
import logging
import sys

import pytest

from accounts.models import User
from config.logs import Json, Line
from generator import queue, trail
from generator.models import Job


@pytest.fixture
def lines():
    """`lines()`: what was logged so far, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Json())
    loggers = [logging.getLogger(), logging.getLogger("atelier.access")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def _answers(found: list[dict]) -> list[dict]:
    return [line for line in found if line["logger"] == "atelier.access"]


def test_each_request_has_a_line_with_who_what_and_how_long(lines, as_, alice):
    response = as_(alice).get("/gallery/?q=a+secret+prompt")
    [line] = _answers(lines())
    assert (line["method"], line["path"], line["status"], line["user_id"]) == ("GET", "/gallery/", 200, alice.pk)
    assert line["request_id"] == response["X-Request-ID"]
    assert line["ms"] > 0
    assert line["level"] == "INFO"
    assert line["time"].endswith("+00:00")
    assert "secret" not in json.dumps(lines())
    assert "alice@" not in json.dumps(lines())


def test_a_given_id_is_kept_and_a_strange_one_is_not(lines, client):
    assert client.get("/gallery/", headers={"x-request-id": "edge-42.a"})["X-Request-ID"] == "edge-42.a"
    assert len(client.get("/gallery/", headers={"x-request-id": 'x"\n{}'})["X-Request-ID"]) == 32
    assert len(client.get("/gallery/", headers={"x-request-id": "a" * 65})["X-Request-ID"]) == 32
    assert _answers(lines())[0]["request_id"] == "edge-42.a"
    assert trail.current_request() == ""


def test_what_opens_a_door_is_not_written(lines, client, db):
    client.get("/invitation/s3cr3tt0k3n/")
    client.get("/account/password/reset/key/1-s3cr3tk3y/")
    assert [line["path"] for line in _answers(lines())] == ["/invitation/…/", "/account/password/reset/key/1-…/"]


def test_probes_are_not_worth_a_line(lines, client):
    client.get("/readyz")
    assert _answers(lines()) == []


def test_the_request_is_followed_to_the_workers_lines(lines, as_, alice, checkpoint, monkeypatch):
    data = {"prompt": "a pear", "count": "1", "steps": "4", "format": "square", "checkpoint": "starter"}
    as_(alice).post("/create/", data, headers={"x-request-id": "from-the-edge"})
    job = Job.objects.get()
    assert job.request == "from-the-edge"

    claimed = queue.claim(worker="w1")
    with trail.following(request=claimed.request, job=claimed.pk):
        logging.getLogger("generator.runner").warning("out of memory")
    said = [line for line in lines() if line.get("job_id") == str(job.pk)]
    assert [line["message"] for line in said[-2:]] == [f"job {job.pk} went from queued to running", "out of memory"]
    assert {line["request_id"] for line in said} == {"from-the-edge"}
    assert "pear" not in json.dumps(lines())


def test_an_exception_is_part_of_its_line(lines):
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("x").exception("failed with %s", "reason")
    [line] = lines()
    assert line["message"] == "failed with reason"
    assert "ValueError: broken" in line["exc_info"]


def test_a_sign_in_writes_no_address(lines, client, db):
    User.objects.create_user("mara@example.com", "a rather long password")
    client.post("/account/login/", {"login": "mara@example.com", "password": "wrong"})
    assert "mara@" not in json.dumps(lines())


@pytest.mark.parametrize("formatter", [Json, Line])
def test_what_others_say_of_people_is_made_discreet(formatter):
    try:
        raise ValueError("recipient refused: mara.keller@example.co.uk")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "to %s", ("mara@example.com",), sys.exc_info())
    text = formatter().format(record)
    assert "mara" not in text
    assert "recipient refused: …@…" in text
