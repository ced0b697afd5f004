"""`make faults`: breaks an installation of its own in every way we know, and ends in one summary line.

FAULTS_SEED (drawn and printed when not given), FAULTS_JOBS (200), FAULTS_COUNT (60), FAULTS_KEEP=1 keeps the logs;
FAULTS_STANDINS=1 does without the small disk and the network namespace, as where neither is allowed.
Exit status: 0 all bars hold, 1 one does not, 2 it cannot run here.
"""

import json
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults.site import CannotRun, Site, check
from tests.servers import wait_for

PEOPLE = 4
LONGEST = 34 * 60.0  # seconds after which nothing more is broken, so that it ends within 40 minutes
EACH = 10.0  # seconds that a fault takes with the pause after it, roughly: what the asking is spread over


def main() -> int:
    """The command."""
    started = time.monotonic()
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(2**32))
    jobs, count = int(os.environ.get("FAULTS_JOBS") or 200), int(os.environ.get("FAULTS_COUNT") or 60)
    try:
        check()
    except CannotRun as reason:
        print(reason, file=sys.stderr)
        return 2
    print(f"seed {seed}: {count} faults under {jobs} jobs (again with FAULTS_SEED={seed} make faults)", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="atelier-faults-"))
    site = Site(folder)
    for words in site.standins:
        print(f"  {words}", flush=True)
    with site.running():
        row = _run(site, seed, jobs, count, started)
    row = {"name": "faults", "seed": seed, **row, "minutes": round((time.monotonic() - started) / 60, 1)}
    enough = row["jobs"] >= jobs and sum(row["faults"].values()) >= count
    row["holds"] = bool(enough and not row["wrong"] and not row["missing"] and not row["orphans_left"])
    if row["holds"] and not os.environ.get("FAULTS_KEEP"):
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"logs: {folder}", flush=True)
    print(json.dumps(row), flush=True)
    return 0 if row["holds"] else 1


def _run(site: Site, seed: int, jobs: int, count: int, started: float) -> dict[str, Any]:
    cookies = _prepare(site)
    from tests.faults.judge import judge
    from tests.faults.people import Crowd
    from tests.faults.plan import Plan

    plan = Plan(site, seed, count)
    crowd = Crowd(site.url, cookies, seed)
    is_over = threading.Event()
    asking = threading.Thread(
        target=crowd.ask_until, args=(jobs, _waiting, is_over.is_set, 0.9 * EACH * count), daemon=True
    )
    asking.start()
    pauses = random.Random(seed + 1)
    poisoned = {len(plan.kinds) // 3, 2 * len(plan.kinds) // 3}
    for number, kind in enumerate(plan.kinds):
        if time.monotonic() - started > LONGEST:
            break
        if number in poisoned:
            _poison(plan, crowd)
        plan.bring_about(kind)
        print(f"  {number + 1:3}/{len(plan.kinds)} {kind}: {_standing()}", flush=True)
        time.sleep(pauses.uniform(2, 6))
    asking.join(max(1.0, LONGEST - (time.monotonic() - started)))
    is_over.set()
    print("  nothing more is broken; waiting for the last jobs", flush=True)
    _wait_for_quiet()
    time.sleep(12)  # every open socket gets one more snapshot of what it had not been told the end of
    crowd.leave()
    return {"faults": plan.counts, **judge(site, crowd, plan.happened)}


def _prepare(site: Site) -> list[str]:
    """This process becomes an onlooker of the same database; the sessions of some people in it."""
    os.environ.update(site.environment())
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.test import Client

    from accounts.services import create_person
    from generator.models import Worker

    cookies = []
    for number in range(PEOPLE):
        client = Client()
        user = create_person(email=f"person-{number}@example.com", name=f"Person {number}", password="a long password")
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        cookies.append(client.cookies["sessionid"].value)
    wait_for(lambda: Worker.objects.exclude(loaded=[]).count() == 2, "both workers are warm", patience=120)
    return cookies


def _ask_database(query) -> Any:
    """What `query` returns, or None while the database is away."""
    from django.db import close_old_connections, connection
    from django.db.utils import Error

    try:
        return query()
    except Error:
        connection.close()
        return None
    finally:
        close_old_connections()


def _waiting() -> int:
    from generator.models import Job, State

    found = _ask_database(lambda: Job.objects.filter(state__in=[State.QUEUED, State.RUNNING]).count())
    return 0 if found is None else found


def _standing() -> str:
    from django.db.models import Count

    from generator.models import Job

    rows = _ask_database(lambda: list(Job.objects.order_by().values_list("state").annotate(n=Count("pk"))))
    return "the database is away" if rows is None else ", ".join(f"{n} {state}" for state, n in sorted(rows))


def _poison(plan, crowd) -> None:
    """A job that takes every worker down which dares to run it: killed from here as soon as it runs."""
    from generator.models import Job, State
    from tests.faults.people import POISON
    from tests.faults.plan import Fault

    asked: list[str] = []
    wait_for(lambda: asked.append(crowd.people[0].ask(POISON) or "") or asked[-1], "a job could be asked for", 60)

    def row() -> Job | None:
        return _ask_database(lambda: Job.objects.filter(pk=asked[-1]).first())

    while True:
        wait_for(lambda: (job := row()) and job.state != State.QUEUED, "the poisonous job runs or has ended", 120)
        job = row()
        if job is None or job.state != State.RUNNING:
            if job is not None and job.is_finished:
                print(f"  the poisonous job {job.pk} {job.state} after {job.attempts} losses", flush=True)
                return
            continue
        pid = int(job.worker.rpartition("-")[2])
        for part in plan.site.workers:
            if part.pids[-1] == pid:
                fault = Fault("kill worker", time.time())
                plan.happened.append(fault)
                plan.kill_worker(fault, part)
                fault.end = time.time()

        def is_noticed(before: int = job.attempts) -> bool:
            now = row()
            return now is not None and (now.attempts > before or now.is_finished)

        wait_for(is_noticed, "the loss is noticed", 60)


def _wait_for_quiet(patience: float = 300.0) -> None:
    """Until no job waits or runs; what is left then is the judge's."""
    end = time.monotonic() + patience
    while time.monotonic() < end and _waiting():
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
