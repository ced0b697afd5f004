"""The studio as a person meets it: started like `make run`, asked over HTTP, watched over a websocket."""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from websockets.sync.client import connect

from benchmarks.crowd import web_processes
from benchmarks.visitor import Visitor
from tests.installation import Installation, running, start

PROMPT = {"prompt": "a red apple, 3d icon", "checkpoint": "starter", "count": "1", "steps": "20", "format": "square"}
ROUNDS = 15


@contextmanager
def signed_in() -> Iterator[tuple[Installation, Visitor]]:
    """A fresh installation with its worker warm, and its administrator."""
    with running() as installation:
        visitor = Visitor(installation.url)
        visitor.sign_in_first_time(*installation.administrator)
        for _round in range(3):
            _follow(visitor, visitor.generate(PROMPT))
        yield installation, visitor


def _follow(visitor: Visitor, job: str) -> dict[str, Any]:
    """Waits for the end of a job at its socket; the last event."""
    with connect(f"{visitor.ws}/ws/jobs/{job}/", additional_headers=visitor.headers) as socket:
        while True:
            event = json.loads(socket.recv(60))
            if event["type"] == "job.done" or event.get("state") == "done":
                return event
            assert event["type"] not in ("job.failed", "job.cancelled"), event


@cache
def _timed() -> tuple[list[float], list[float]]:
    """(milliseconds from POST to the first step, milliseconds of a job that are neither denoising nor decoding)."""
    first, fixed = [], []
    with (
        signed_in() as (installation, visitor),
        connect(f"{visitor.ws}/ws/live/", additional_headers=visitor.headers) as socket,
    ):
        for number in range(ROUNDS):
            started = time.perf_counter()
            # New words each time: the worker keeps the embeddings of those it knows.
            job = visitor.generate(PROMPT | {"prompt": f"{PROMPT['prompt']}, number {number}"})
            step = done = 0.0
            while not done:
                event = json.loads(socket.recv(60))
                if event.get("job") != job:
                    continue
                if event["type"] == "job.progress" and event["step"] >= 1 and not step:
                    step = time.perf_counter() - started
                if event["type"] == "job.done":
                    done = time.perf_counter() - started
            first.append(step * 1000)
            engine = json.loads(installation.manage("job_timings", job))
            fixed.append((done - engine["denoise"] + engine["report"] - engine["decode"]) * 1000)
            time.sleep(0.2)
    return first, fixed


def _row(values: list[float], bar: float, unit: str = "ms") -> dict[str, Any]:
    median = statistics.median(values)
    spread = {"min": round(min(values), 1), "max": round(max(values), 1), "runs": len(values)}
    return {"value": round(median, 1), "unit": unit, **spread, "bar": bar, "holds": median <= bar}


def fixed_cost_ms() -> dict[str, Any]:
    """From POST to `job.done` at a websocket client, one picture of 20 steps, less denoising and decoding: median."""
    return _row(_timed()[1], bar=150)


def first_event_ms() -> dict[str, Any]:
    """From POST to the first `job.progress` of a step at a websocket client, one picture, warm idle worker: median."""
    return _row(_timed()[0], bar=300)


def web_rss_mb() -> dict[str, Any]:
    """Resident memory of the largest web process after 1,000 requests; whether any has mapped torch's libraries."""
    with signed_in() as (installation, visitor):
        media = visitor.media_address()
        pages = ["/", "/gallery/", media, "/healthz"]
        for number in range(1000):
            assert visitor.get(pages[number % len(pages)]).status_code == 200
        pids = web_processes(installation)
        torch = any("libtorch" in Path(f"/proc/{pid}/maps").read_text() for pid in pids)
        sizes = sorted(psutil.Process(pid).memory_info().rss / 2**20 for pid in pids)
        value = sizes[-1]
    facts = {"processes": len(sizes), "altogether": round(sum(sizes), 1), "torch": torch}
    return {"value": round(value, 1), "unit": "MiB", **facts, "bar": 180, "holds": value <= 180 and not torch}


def cold_start_s() -> dict[str, Any]:
    """From `make run` to the first 200 of /readyz, everything installed, nothing prepared: median of three."""
    return _row([_time_to_ready(("make", "--no-print-directory", "run")) for _round in range(3)], bar=15, unit="s")


def _time_to_ready(command: tuple[str, ...]) -> float:
    with tempfile.TemporaryDirectory(prefix="atelier-cold-") as folder:
        installation = start(Path(folder) / "home", [*command])
        try:
            installation.wait_until_ready()
            return installation.seconds_to_ready
        finally:
            installation.process.terminate()
            installation.process.wait(60)
