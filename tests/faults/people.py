"""People who ask, cancel and watch while everything breaks, and a note of every end that they were shown."""

import contextlib
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from benchmarks.visitor import Visitor

ENDS = ("done", "failed", "cancelled")
PROMPT = {"prompt": "a red apple, 3d icon", "checkpoint": "starter", "count": "1", "steps": "6", "format": "square"}
POISON = {**PROMPT, "count": "4", "steps": "150"}
CARD = re.compile(r'data-job="([0-9a-f-]{36})" data-state="(\w+)"')
CANCELLED = 0.1  # of the jobs, roughly
NOT_NOW = (httpx.HTTPError, OSError, AssertionError)  # the page cannot be had at this moment


@dataclass(frozen=True)
class End:
    """What somebody was shown as the end of a job."""

    state: str
    at: float  # monotonic
    media: frozenset[str] = frozenset()


class Witness:
    """Remembers what was shown. An end that is followed by something else was a lie, whoever showed it."""

    def __init__(self) -> None:
        self.ends: dict[str, End] = {}
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def shown(self, job: str, state: str, how: str, since: float, media: list[str] | None = None) -> None:
        """Somebody was shown this state of a job, as it was at some moment after `since` (monotonic)."""
        with self._lock:
            self.seen[how] += 1
            known = self.ends.get(job)
            if known and known.state != state and since < known.at and state not in ENDS:
                return  # the page was on its way when the end was told
            if known and known.state != state:
                self.wrong.append(f"{how} showed {state} for {job} after its end, {known.state}")
            if state not in ENDS:
                return
            if known and media is not None and known.media and frozenset(media) != known.media:
                self.wrong.append(f"{how} showed other pictures for {job} than before")
            at = known.at if known else time.monotonic()
            self.ends[job] = End(state, at, frozenset(media or (known.media if known else ())))


class Person:
    """One browser: a session, a live socket as static/js/live.js keeps it, pages that are loaded now and then."""

    def __init__(self, url: str, cookie: str, witness: Witness, seed: int, over: threading.Event) -> None:
        self.visitor = Visitor(url)
        self.visitor.client.cookies.set("sessionid", cookie)
        self.witness = witness
        self.random = random.Random(seed)
        self.over = over
        self.jobs: list[str] = []
        self.cancels: list[str] = []
        self._last: dict[str, tuple[int, int]] = {}
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._watch, self._load)]

    def ask(self, settings: dict[str, str] = PROMPT) -> str | None:
        """Asks for a picture; None when the studio could not answer (the job may exist all the same)."""
        with contextlib.suppress(*NOT_NOW):
            if "csrftoken" not in self.visitor.client.cookies:
                self.visitor.get("/")
            job = self.visitor.generate(settings)
            self.jobs.append(job)
            if settings is PROMPT and self.random.random() < CANCELLED:
                threading.Timer(self.random.uniform(0, 3), self._cancel, [job]).start()
            return job
        return None

    def _cancel(self, job: str) -> None:
        self.cancels.append(job)  # before it is asked for: the answer may get lost
        with contextlib.suppress(*NOT_NOW):
            self.visitor.post(f"/jobs/{job}/cancel/", {}, **{"HX-Request": "true"})

    def _watch(self) -> None:
        """`ws/live/`, opened again whenever it closes."""
        while not self.over.is_set():
            with contextlib.suppress(OSError, WebSocketException):
                address = f"{self.visitor.ws}/ws/live/"
                with connect(address, additional_headers=self.visitor.headers, open_timeout=5) as socket:
                    while not self.over.is_set():
                        with contextlib.suppress(TimeoutError):
                            self._told(json.loads(socket.recv(1)))
            self.over.wait(0.3)

    def _told(self, event: dict) -> None:
        kind = event["type"].removeprefix("job.")
        if not event["type"].startswith("job.") or "seq" not in event:
            return
        job, place = event["job"], (event["attempt"], event["seq"])
        if place < self._last.get(job, (0, 0)):  # live.js drops it, too
            return
        self._last[job] = place
        state = event["state"] if kind == "snapshot" else "running" if kind == "progress" else kind
        self.witness.shown(job, state, "an event", time.monotonic(), event.get("media") or None)

    def _load(self) -> None:
        """Pages: the Create page and single cards, as they are at that moment."""
        while not self.over.wait(self.random.uniform(0.4, 1.2)):
            path = f"/jobs/{self.random.choice(self.jobs)}/card/" if self.jobs and self.random.random() < 0.7 else "/"
            asked = time.monotonic()
            with contextlib.suppress(*NOT_NOW):
                answer = self.visitor.get(path)
                if answer.status_code == 200:
                    for job, state in CARD.findall(answer.text):
                        self.witness.shown(job, state, "a page", asked)


class Crowd:
    """Several people, and one clock that says when the next of them asks."""

    def __init__(self, url: str, cookies: list[str], seed: int) -> None:
        self.over = threading.Event()
        self.witness = Witness()
        self.people = [Person(url, cookie, self.witness, seed + n, self.over) for n, cookie in enumerate(cookies)]
        self.random = random.Random(seed)
        self.asked = 0
        for person in self.people:
            for thread in person.threads:
                thread.start()

    @property
    def cancels(self) -> set[str]:
        """Jobs that somebody wanted to be cancelled."""
        return {job for person in self.people for job in person.cancels}

    def ask_until(self, count: int, waiting: Callable[[], int], enough: Callable[[], bool], seconds: float) -> None:
        """Asks for `count` jobs over about so many seconds, never with more than 25 waiting, until it is `enough`."""
        pause = seconds / count
        while self.asked < count and not enough():
            if waiting() < 25 and self.random.choice(self.people).ask():
                self.asked += 1
            time.sleep(self.random.uniform(0.2, 1.8) * pause)

    def leave(self) -> None:
        """Everybody closes the browser."""
        self.over.set()
        for person in self.people:
            for thread in person.threads:
                thread.join(10)
