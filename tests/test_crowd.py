"""The crowd of `make bench ONLY=load` counts what really happened to its requests."""

import asyncio

import httpx
import pytest

from benchmarks import crowd
from benchmarks.load import _lags, quantile


@pytest.fixture
def person(monkeypatch):
    """`person(*answers)`: someone whose requests meet these, an exception or a status each."""

    def make(*answers) -> crowd.Person:
        queue = list(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            met = queue.pop(0)
            if isinstance(met, Exception):
                raise met
            return httpx.Response(met)

        someone = crowd.Person("http://studio", "key", ["/"], crowd.Answers(), 1)
        someone.client = httpx.AsyncClient(base_url="http://studio", transport=httpx.MockTransport(answer))
        return someone

    async def at_once(seconds: float) -> None:
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return make


@pytest.mark.parametrize(
    ("met", "retried", "lost", "statuses"),
    [
        ([200], 0, 0, {200: 1}),
        ([500], 0, 0, {500: 1}),
        ([httpx.ConnectError("refused"), httpx.ConnectError("refused"), 200], 2, 0, {200: 1}),
        ([httpx.RemoteProtocolError("Server disconnected without sending a response."), 200], 1, 0, {200: 1}),
        ([httpx.RemoteProtocolError("peer closed connection without sending complete message body")], 0, 1, {}),
        ([httpx.ReadError("reset")], 0, 1, {}),
    ],
)
async def test_what_was_refused_is_asked_again_what_was_cut_off_is_lost(person, met, retried, lost, statuses):
    someone = person(*met)
    await someone.look()
    got = someone.answers
    assert (got.retried, got.lost, dict(got.statuses)) == (retried, lost, statuses)


def test_lags_are_counted_for_each_watcher_and_what_never_came_too():
    one, two = crowd.Watcher("", "", "a"), crowd.Watcher("", "", "a")
    one.came, two.came = {1: 10.2, 2: 11.1}, {1: 10.4}
    lags, missed = _lags([one, two], [{"job": "a", "seq": 1, "at": 10.0}, {"job": "a", "seq": 2, "at": 11.0}])
    assert [round(lag, 1) for lag in lags] == [0.2, 0.4, 0.1]
    assert missed == 1


def test_the_quantile_of_nothing_keeps_no_bar():
    assert quantile([], 0.95) == float("inf")
    assert quantile([n / 1000 for n in range(1, 101)], 0.95) == 96
