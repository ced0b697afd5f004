"""The studio with many people in it, started like `make run` (in the servers of TEST_POSTGRES_URL and TEST_REDIS_URL
where these are named): pages under load, watchers of running jobs, a broker that is killed, a web server that restarts.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.crowd import Answers, Person, Share, Watcher, probe, sessions, web_processes
from tests.installation import ROOT, Installation, running
from tests.servers import RedisServers

PEOPLE, WATCHERS = 100, 500
IN_TEAM = 7  # people of the demo who have the sessions
SECONDS = 60
PLAYED, QUIET = 30, 20  # seconds of recorded progress; how long an end may take to arrive
PASSWORD = "correct horse battery staple"
DEMO = ("seed_demo", "--pictures", "40", "--steps", "4", "--media", "5000", "--password", PASSWORD)
MAKER = "mara@northlight.example"


@contextlib.contextmanager
def seeded(**env: str) -> Iterator[tuple[Installation, list[str]]]:
    """An installation with the demo in it, and sessions of its people."""
    with running(PICTURES_PER_DAY="100000", **env) as installation:
        installation.manage(*DEMO)
        yield installation, sessions(installation, PEOPLE)


def quantile(values: list[float], share: float) -> float:
    """In milliseconds; of nothing it is infinite."""
    return 1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


PAGES = ["/", "/", "/", "/gallery/", "/gallery/?tab=team", "/gallery/?tab=team&q=apple", "/queue/", "/albums/"]
PAGES += ["/team/", "/account/profile/"]


def _addresses(installation: Installation, key: str) -> list[str]:
    """What one person looks at: pages, pictures' pages, and files at addresses that were signed for them."""
    with httpx.Client(base_url=installation.url, cookies={"sessionid": key}, timeout=30) as client:
        gallery = client.get("/gallery/?tab=team").text
    pictures = list(dict.fromkeys(re.findall(r'href="(/gallery/[0-9a-f-]{36}/)', gallery)))[:5]
    files = list(dict.fromkeys(re.findall(r'src="(/media/[^"]+)"', gallery)))[:8]
    assert pictures, "the gallery shows no pictures"
    assert files, "the gallery shows no files"
    return [*PAGES, *pictures, *files]


def _crowd(installation: Installation, keys: list[str], answers: Answers) -> list[Person]:
    """A person a key. Every seventh session is of the same person (crowd.SESSIONS)."""
    seen = [_addresses(installation, key) for key in keys[:IN_TEAM]]
    url = installation.url
    return [Person(url, key, seen[number % IN_TEAM], answers, number) for number, key in enumerate(keys)]


@contextlib.contextmanager
def drawing(installation: Installation) -> Iterator[None]:
    """The worker draws all the while: enough is in its line."""
    lines = [
        "from accounts.models import Team, User",
        "from generator import services",
        "from generator.models import Checkpoint",
        "team = Team.objects.get(name='Northlight')",
        "user, model = team.members.filter(is_superuser=True).first(), Checkpoint.objects.get(is_default=True)",
        "for n in range(10):",
        "    asked = {'checkpoint': model, 'prompt': 'a rocket', 'count': 8, 'steps': 150, 'seed': n}",
        "    services.create_generation(user=user, team=team, **asked)",
    ]
    installation.manage("shell", "-c", "\n".join(lines))
    yield


@cache
def _pages() -> dict[str, Any]:
    with seeded() as (installation, keys), drawing(installation):
        answers, share = Answers(), Share(installation)
        people = _crowd(installation, keys, answers)

        async def all_of_it() -> list[float]:
            until = time.monotonic() + SECONDS
            health = asyncio.create_task(probe(f"{installation.url}/healthz", until))
            await asyncio.gather(*(person.live(until) for person in people))
            return await health

        health = asyncio.run(all_of_it())
        a_request = 1000 * share.web_seconds() / max(1, len(answers.all()))
        figures = {"web_cpu_ms_a_request": round(a_request, 1), **share.figures()}
        drawn = installation.manage("shell", "-c", _COUNT_RUNNING).split()[-1]
        return {"answers": answers, "health": health, "share": figures, "drawing": drawn}


_COUNT_RUNNING = "from generator.models import Job; print(Job.objects.filter(state='running').count())"


def load_pages_ms() -> dict[str, Any]:
    """100 sessions that think 3 to 8 s between pages, while a worker draws: p95 of all answers, no errors."""
    facts = _pages()
    answers: Answers = facts["answers"]
    p95 = quantile(answers.all(), 0.95)
    errors = sum(number for status, number in answers.statuses.items() if status >= 400)
    slowest = {path: round(quantile(seconds, 0.95)) for path, seconds in answers.seconds.items()}
    worst = dict(sorted(slowest.items(), key=lambda pair: -pair[1])[:4])
    return {
        "value": round(p95, 1),
        "unit": "ms",
        "p50": round(quantile(answers.all(), 0.5), 1),
        "requests": len(answers.all()),
        "errors": errors + answers.lost,
        "failed": answers.failed[:5],
        "worst_p95": worst,
        "jobs_running_at_the_end": int(facts["drawing"]),
        **facts["share"],
        "bar": 500,
        "holds": p95 < 500 and not errors and not answers.lost,
    }


def load_healthz_ms() -> dict[str, Any]:
    """p95 of /healthz meanwhile."""
    health = _pages()["health"]
    p95 = quantile(health, 0.95)
    return {"value": round(p95, 1), "unit": "ms", "runs": len(health), "bar": 150, "holds": p95 <= 150}


class Player:
    """The process that plays recorded jobs."""

    def __init__(self, installation: Installation) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.player"],
            cwd=ROOT,
            env={**installation.env, "LOG_LEVEL": "WARNING"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, command: str) -> list[dict[str, Any]]:
        """What it printed until it had done so."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("{"):
                said = json.loads(line)
                if "did" in said:
                    return lines
                lines.append(said)
        raise RuntimeError("the player ended")


@contextlib.asynccontextmanager
async def watching(installation: Installation, keys: list[str], jobs: list[str], number: int):
    """`number` watchers on `jobs`, all of them connected."""
    base = installation.url
    watchers = [Watcher(base, keys[n % len(keys)], jobs[n % len(jobs)]) for n in range(number)]
    tasks = []
    for watcher in watchers:  # a little apart: nobody opens 500 pages in one millisecond
        tasks.append(asyncio.create_task(watcher.watch()))
        await asyncio.sleep(0.01)
    await _until(lambda: all(watcher.state for watcher in watchers), 60, "every watcher has its first snapshot")
    try:
        yield watchers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until(true, patience: float, what: str) -> None:
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        await asyncio.sleep(0.1)


@cache
def _watched() -> dict[str, Any]:
    with _mortal_broker() as (env, kill_broker), seeded(**env) as (installation, keys):
        player = Player(installation)
        (made,) = player.do(f"make {MAKER}")

        async def all_of_it() -> dict[str, Any]:
            async with watching(installation, keys, made["jobs"], WATCHERS) as watchers:
                share = Share(installation)
                told = await asyncio.to_thread(player.do, f"play {PLAYED}")
                await asyncio.sleep(2)
                lags, missed = _lags(watchers, told)
                figures = share.figures()
                killed = kill_broker(installation)
                ends = await asyncio.to_thread(player.do, "end")
                last = max(end["at"] for end in ends)
                right = {end["job"]: end["state"] for end in ends}
                with contextlib.suppress(AssertionError):
                    await _until(lambda: all(w.state == right[w.job] for w in watchers), QUIET, "all ends arrived")
                wrong = sum(watcher.state != right[watcher.job] for watcher in watchers)
                late = [
                    max(0.0, watcher.state_at - last) for watcher in watchers if watcher.state == right[watcher.job]
                ]
                return {
                    "lags": lags,
                    "missed": missed,
                    "share": figures,
                    "killed": killed,
                    "wrong": wrong,
                    "late": late,
                    "reopened": sum(watcher.opened - 1 for watcher in watchers),
                }

        try:
            return asyncio.run(all_of_it())
        finally:
            player.process.kill()
            player.process.wait()


def _lags(watchers: list[Watcher], told: list[dict[str, Any]]) -> tuple[list[float], int]:
    """Seconds from telling to hearing, of every event at every watcher; and how many never came."""
    by_job: dict[str, list[Watcher]] = {}
    for watcher in watchers:
        by_job.setdefault(watcher.job, []).append(watcher)
    lags, missed = [], 0
    for event in told:
        for watcher in by_job[event["job"]]:
            came = watcher.came.get(event["seq"])
            if came is None:
                missed += 1
            else:
                lags.append(came - event["at"])
    return lags, missed


@contextlib.contextmanager
def _mortal_broker() -> Iterator[tuple[dict[str, str], Callable[[Installation], int]]]:
    """(what an installation is told, how its broker is killed, which says how many were): its own, which it starts
    again itself; beside given servers, which are not ours to kill, a Redis that is started again here."""
    if "TEST_REDIS_URL" not in os.environ:
        yield {}, _kill_own_broker
        return
    with tempfile.TemporaryDirectory(prefix="atelier-broker-") as folder:
        servers = RedisServers(Path(folder))
        port = servers.serve()

        def kill(installation: Installation) -> int:
            servers.kill(port)
            servers.start_again(port)
            return 1

        try:
            yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}, kill
        finally:
            servers.stop()


def _kill_own_broker(installation: Installation) -> int:
    # By its place among the processes: it has written its title over its environment.
    brokers = [one for one in psutil.Process(installation.process.pid).children() if "valkey" in one.name()]
    for broker in brokers:
        broker.kill()
    return len(brokers)


def load_lag_ms() -> dict[str, Any]:
    """500 watchers on 20 recorded jobs that tell of two steps a second: p95 from telling to hearing."""
    facts = _watched()
    p95 = quantile(facts["lags"], 0.95)
    told = {"p50": round(quantile(facts["lags"], 0.5), 1), "events": len(facts["lags"]), "missed": facts["missed"]}
    return {"value": round(p95, 1), "unit": "ms", **told, **facts["share"], "bar": 250, "holds": p95 <= 250}


def load_final_states_s() -> dict[str, Any]:
    """The broker is killed, then every job ends: until the last watcher knows its end."""
    facts = _watched()
    value = max(facts["late"], default=float("inf"))
    holds = value <= 15 and not facts["wrong"] and facts["killed"] == 1
    extra = {"watchers_wrong": facts["wrong"], "brokers_killed": facts["killed"], "reopened": facts["reopened"]}
    return {"value": round(value, 1), "unit": "s", **extra, "bar": 15, "holds": holds}


def load_restart_lost() -> dict[str, Any]:
    """SIGTERM to the web server while people look at pages: accepted requests without an answer; sockets come back."""
    with seeded() as (installation, keys):
        player = Player(installation)
        (made,) = player.do(f"make {MAKER}")
        answers = Answers()
        people = _crowd(installation, keys[:40], answers)

        async def all_of_it() -> tuple[float, int]:
            async with watching(installation, keys, made["jobs"], 60) as watchers:
                until = time.monotonic() + 30
                crowd = [asyncio.create_task(person.live(until, think=(0.5, 2))) for person in people]
                await asyncio.sleep(12)  # the supervisor starts at once again what has lived for ten seconds
                before = {id(watcher): watcher.opened for watcher in watchers}
                started = time.monotonic()
                for pid in web_processes(installation):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
                with contextlib.suppress(AssertionError):
                    await _until(lambda: all(w.opened > before[id(w)] for w in watchers), 30, "sockets are back")
                took = time.monotonic() - started
                away = sum(watcher.opened <= before[id(watcher)] for watcher in watchers)
                await asyncio.gather(*crowd)
                return took, away

        try:
            took, away = asyncio.run(all_of_it())
        finally:
            player.process.kill()
            player.process.wait()
    errors = sum(number for status, number in answers.statuses.items() if status >= 400)
    facts = {"answered": len(answers.all()), "asked_again": answers.retried, "sockets_back_s": round(took, 1)}
    holds = not answers.lost and not errors and not away
    return {
        "value": answers.lost,
        "unit": "requests",
        **facts,
        "errors": errors,
        "failed": answers.failed[:5],
        "sockets_away": away,
        "bar": 0,
        "holds": holds,
    }
