"""A crowd at its browsers, in one light process: pages over HTTP with thinking in between, and sockets that listen."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.installation import Installation

# Makes N sessions spread over the demo's people, and prints their keys. Signing in N times would meet the rate limits.
SESSIONS = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import Team, User
team = Team.objects.get(name="Northlight")
people = list(User.objects.filter(teams=team, is_superuser=False).order_by("pk"))
store = import_module(settings.SESSION_ENGINE).SessionStore
for number in range({number}):
    user, session = people[number % len(people)], store()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["team"] = str(team.pk)
    session.create()
    print("session", session.session_key)
"""


def sessions(installation: Installation, number: int) -> list[str]:
    """Keys of `number` fresh sessions."""
    lines = installation.manage("shell", "-c", SESSIONS.format(number=number)).splitlines()
    return [line.split()[1] for line in lines if line.startswith("session ")]


@dataclass
class Answers:
    """What the crowd got: seconds by what was asked for, statuses, requests that were accepted and never answered."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)  # what went wrong where
    retried: int = 0
    lost: int = 0

    def all(self) -> list[float]:
        """Of every answer."""
        return [second for seconds in self.seconds.values() for second in seconds]


class Person:
    """One session: looks at pages, and thinks 3 to 8 seconds between them."""

    def __init__(self, base: str, key: str, addresses: list[str], answers: Answers, number: int) -> None:
        self.client = httpx.AsyncClient(
            base_url=base, cookies={"sessionid": key}, timeout=30, limits=httpx.Limits(max_connections=2)
        )
        self.addresses, self.answers = addresses, answers
        self.dice = random.Random(number)

    async def live(self, until: float, think: tuple[float, float] = (3, 8)) -> None:
        """Goes on until the clock (monotonic) says `until`."""
        await asyncio.sleep(self.dice.uniform(0, think[1]))
        while time.monotonic() < until:
            await self.look()
            await asyncio.sleep(self.dice.uniform(*think))
        await self.client.aclose()

    async def look(self) -> None:
        """One page, asked for again while nobody accepts the connection, as a proxy does."""
        address = self.dice.choice(self.addresses)
        patience = time.monotonic() + 20
        while True:
            started = time.perf_counter()
            try:
                answer = await self.client.get(address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if time.monotonic() > patience:
                    self._lost(address, error)
                    return
                self.answers.retried += 1
                await asyncio.sleep(0.25)
            except httpx.RemoteProtocolError as error:
                # Closed between two requests, before it was read: a proxy asks again. Anything else was cut off.
                if "without sending a response" not in str(error):
                    self._lost(address, error)
                    return
                self.answers.retried += 1
            except httpx.HTTPError as error:
                self._lost(address, error)
                return
            else:
                self.answers.seconds[address.split("?")[0]].append(time.perf_counter() - started)
                self.answers.statuses[answer.status_code] += 1
                if answer.status_code >= 400:
                    self.answers.failed.append(f"{answer.status_code} {address}")
                return

    def _lost(self, address: str, error: Exception) -> None:
        self.answers.lost += 1
        self.answers.failed.append(f"{error!r} {address}")


async def probe(url: str, until: float, every: float = 0.25) -> list[float]:
    """Seconds of each answer of an address that anybody may ask."""
    found = []
    async with httpx.AsyncClient(timeout=30) as client:
        while time.monotonic() < until:
            started = time.perf_counter()
            answer = await client.get(url)
            assert answer.status_code == 200, answer
            found.append(time.perf_counter() - started)
            await asyncio.sleep(every)
    return found


@dataclass
class Watcher:
    """One socket on one job: when each event came (seconds since 1970, by seq), the last state, how often it opened."""

    base: str
    key: str
    job: str
    came: dict[int, float] = field(default_factory=dict)
    state: str = ""
    state_at: float = 0.0
    opened: int = 0
    refused: int = 0

    async def watch(self) -> None:
        """Listens until cancelled; comes back whenever the socket closes, as live.js does."""
        headers = {"Cookie": f"sessionid={self.key}", "Origin": self.base}
        address = f"{self.base.replace('http', 'ws', 1)}/ws/jobs/{self.job}/"
        pause = 0.5
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, TimeoutError, EOFError):
                try:
                    async with connect(
                        address, additional_headers=headers, compression=None, open_timeout=30, ping_interval=None
                    ) as socket:
                        self.opened += 1
                        pause = 0.5
                        await self._listen(socket)
                except InvalidStatus:
                    self.refused += 1
            await asyncio.sleep(pause + random.random() * 0.5)
            pause = min(pause * 2, 5)

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            event = json.loads(message)
            now = time.time()
            if event["type"] == "job.progress":
                self.came[event["seq"]] = now
            state = event.get("state") or event["type"].removeprefix("job.")
            if state != self.state and state != "progress":
                self.state, self.state_at = state, now


class Share:
    """How much of a core the crowd and each web process used, and the machine altogether, between two moments."""

    def __init__(self, installation: Installation) -> None:
        self.own, self.at = psutil.Process(), time.monotonic()
        self.web = [psutil.Process(pid) for pid in web_processes(installation)]
        self.before = {process: _busy(process) for process in (self.own, *self.web)}
        psutil.cpu_percent()

    def web_seconds(self) -> float:
        """Of processors, that the web processes have spent since."""
        return sum(_busy(process) - self.before[process] for process in self.web)

    def figures(self) -> dict[str, Any]:
        """Percents of one core, by the crowd and by each web process, and of all cores."""
        past = time.monotonic() - self.at
        spent = {process: round(100 * (_busy(process) - before) / past, 1) for process, before in self.before.items()}
        return {
            "client_cpu_%": spent[self.own],
            "web_cpu_%": [spent[process] for process in self.web],
            "machine_cpu_%": psutil.cpu_percent(),
        }


def web_processes(installation: Installation) -> list[int]:
    """Those that answer, see config.web."""
    return installation.pids("-m uvicorn")


def _busy(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])
