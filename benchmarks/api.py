"""The API as programs meet it: what OpenAI's way of asking adds to the page's, and many small reads at once."""

import asyncio
import base64
import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.sync.client import connect

from benchmarks.crowd import Share
from benchmarks.load import MAKER, quantile, seeded
from benchmarks.studio import PROMPT, signed_in
from benchmarks.visitor import Visitor
from tests.installation import Installation

ROUNDS = 20
AT_ONCE, BURSTS = 200, 10


def api_overhead() -> dict[str, Any]:
    """One picture of 20 steps for an OpenAI client (b64_json) over the same through the page, its picture fetched:
    ratio of medians, in turns."""
    with signed_in() as (installation, visitor):
        key = installation.manage("create_api_key", installation.administrator[0]).strip()
        headers = {"Authorization": f"Bearer {key}"}
        with (
            httpx.Client(base_url=f"{installation.url}/v1", headers=headers, timeout=120) as client,
            connect(f"{visitor.ws}/ws/live/", additional_headers=visitor.headers) as socket,
        ):
            ways = {"api": lambda words: _by_api(client, words), "page": lambda words: _by_page(visitor, socket, words)}
            took: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(ROUNDS + 1):
                for name in sorted(ways, reverse=bool(number % 2)):
                    started = time.perf_counter()
                    # New words each time: the worker keeps the embeddings of those it knows.
                    picture = ways[name](f"{PROMPT['prompt']}, {name} {number}")
                    if number:  # the first of each opens its connections
                        took[name].append(1000 * (time.perf_counter() - started))
                    assert picture.startswith(b"\x89PNG"), picture[:20]
                    time.sleep(0.2)
    medians = {name: statistics.median(values) for name, values in took.items()}
    ratio = medians["api"] / medians["page"]
    facts = {"api_ms": round(medians["api"], 1), "page_ms": round(medians["page"], 1), "rounds": ROUNDS}
    least = {f"{name}_least_ms": round(min(values), 1) for name, values in took.items()}
    return {"value": round(ratio, 3), "unit": "ratio", **facts, **least, "bar": 1.05, "holds": ratio <= 1.05}


def _by_api(client: httpx.Client, words: str) -> bytes:
    asked = {"model": "starter", "prompt": words, "response_format": "b64_json", "steps": int(PROMPT["steps"])}
    answer = client.post("images/generations", json=asked)
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def _by_page(visitor: Visitor, socket: Any, words: str) -> bytes:
    """As live.js does it: the end comes by the socket, then the card is fetched and the picture that it shows."""
    job = visitor.generate(PROMPT | {"prompt": words})
    while True:
        event = json.loads(socket.recv(60))
        if event.get("job") == job and event["type"] == "job.done":
            break
    card = visitor.get(f"/jobs/{job}/card/").text
    found = re.search(r'"(/media/[^"]+/original/[^"]+)"', card)
    assert found, card
    return visitor.get(found[1].replace("&amp;", "&")).content


def api_reads() -> dict[str, Any]:
    """200 clients, each with a connection that stays, ask for something small at the same moment, again and again, in a
    team with jobs and 5,000 pictures: p95, no errors.

    Concurrent is what a user of the API sees: 200 requests are sent at once, each timed until its own answer is there.
    So the last of a burst waits for all before it, and the bar allows 3 ms of processor for each on two cores
    (200 × 3 ms / 2 = 300 ms), this client's own share included. The next burst begins when the last answer is there.
    """
    with seeded(API_REQUESTS_PER_MINUTE="1000000") as (installation, _keys):
        key = installation.manage("create_api_key", MAKER).strip()
        paths = _reads(installation, key)
        share: list[Share] = []
        found = asyncio.run(_bursts(installation, key, paths, lambda: share.append(Share(installation))))
        cpu = 1000 * share[0].web_seconds() / len(found.seconds)
        figures = share[0].figures()
    p95, errors = quantile(found.seconds, 0.95), sum(status != 200 for status in found.statuses)
    facts = {"p50": round(quantile(found.seconds, 0.5), 1), "reads": len(found.seconds), "errors": errors}
    facts |= {"reads_a_second": round(len(found.seconds) / found.lasted, 1), "web_cpu_ms_a_read": round(cpu, 2)}
    return {"value": round(p95, 1), "unit": "ms", **facts, **figures, "bar": 300, "holds": p95 <= 300 and not errors}


@dataclass
class _Bursts:
    """Of every answer its seconds and status; how long all bursts lasted together."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lasted: float = 0.0


def _reads(installation: Installation, key: str) -> list[str]:
    """Addresses of one thing each: the queue, pictures, jobs, the models, oneself."""
    with httpx.Client(base_url=f"{installation.url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as client:
        pictures = [one["id"] for one in client.get("media", params={"limit": 20}).json()["items"]]
        jobs = [one["id"] for one in client.get("jobs", params={"limit": 20}).json()["items"]]
    assert pictures
    assert jobs
    things = [(f"media/{pictures[n % len(pictures)]}", f"jobs/{jobs[n % len(jobs)]}") for n in range(20)]
    return [f"/api/v1/{path}" for pair in things for path in ("queue", *pair, "models", "me")]


async def _bursts(installation: Installation, key: str, paths: list[str], begin: Callable[[], None]) -> _Bursts:
    """The first burst only warms up, then `begin`."""
    head = f" HTTP/1.1\r\nHost: 127.0.0.1:{installation.port}\r\nAuthorization: Bearer {key}\r\n\r\n"
    lines = [await asyncio.open_connection("127.0.0.1", installation.port) for _line in range(AT_ONCE)]
    found = _Bursts()
    for burst in range(BURSTS + 1):
        asked = [f"GET {paths[(number + burst) % len(paths)]}{head}".encode() for number in range(AT_ONCE)]
        started = time.perf_counter()
        answers = await asyncio.gather(
            *(_ask(lines, number, request, installation) for number, request in enumerate(asked))
        )
        if burst:
            found.lasted += time.perf_counter() - started
            found.seconds += [seconds for seconds, _status in answers]
            found.statuses += [status for _seconds, status in answers]
        else:
            begin()
    for _reader, writer in lines:
        writer.close()
    return found


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _ask(lines: list[Line], number: int, request: bytes, installation: Installation) -> tuple[float, int]:
    """(seconds, status) of one request. The server closes a line that was silent for five seconds, as after an early
    answer of a slow burst: then it is asked on another, and the time counts from the first try."""
    started = time.perf_counter()
    try:
        status = await _read(*lines[number], request)
    except (asyncio.IncompleteReadError, ConnectionError):
        lines[number][1].close()
        lines[number] = await asyncio.open_connection("127.0.0.1", installation.port)
        status = await _read(*lines[number], request)
    return time.perf_counter() - started, status


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """The status. By hand: a client with comforts would use more processor than the studio."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    assert length, head
    await reader.readexactly(int(length[1]))
    return int(head.split(b" ", 2)[1])
