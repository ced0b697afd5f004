"""Whether everything ended truly: asked of the database and the disk when all is quiet again."""

import hashlib
import json
from datetime import datetime
from typing import Any

from tests.faults.people import Crowd
from tests.faults.plan import Fault
from tests.faults.site import LEASE, Site

SLACK = LEASE + 25.0  # seconds from a fault's end until a loss that it caused was noticed, on a busy machine


def judge(site: Site, crowd: Crowd, faults: list[Fault]) -> dict[str, Any]:
    """The figures, and `wrong`: a sentence for each thing that is not as it must be."""
    from generator.models import Job, State

    wrong = list(crowd.witness.wrong)
    jobs = list(Job.objects.select_related("generation"))
    for job in jobs:
        if job.state not in (State.DONE, State.FAILED, State.CANCELLED):
            wrong.append(f"{job.pk} is still {job.state}")
        elif job.state == State.CANCELLED and str(job.pk) not in crowd.cancels:
            wrong.append(f"{job.pk} was cancelled, and nobody asked for it")
        wrong += _untrue(job, faults)
        shown = crowd.witness.ends.get(str(job.pk))
        if shown and shown.state != job.state:
            wrong.append(f"{shown.state} was shown for {job.pk}, which is {job.state}")
        if [line["to"] for line in job.history].count(State.DONE) > 1:
            wrong.append(f"{job.pk} was done more than once")
    missing = [problem for job in jobs for problem in _pictures(job, crowd)]
    swept, left = _orphans(site)
    states = [job.state for job in jobs]
    return {
        "jobs": len(jobs),
        "done": states.count(State.DONE),
        "failed": states.count(State.FAILED),
        "cancelled": states.count(State.CANCELLED),
        "together": sum(job.company > 1 for job in jobs),
        "quarantined": sum(job.quarantined for job in jobs),
        "leases_lost": sum(job.attempts for job in jobs),
        "retries": sum(job.retries for job in jobs),
        "events_seen": crowd.witness.seen["an event"],
        "states_on_pages": crowd.witness.seen["a page"],
        "orphans_swept": swept,
        "orphans_left": left,
        "missing": missing,
        "wrong": wrong,
    }


def _untrue(job, faults: list[Fault]) -> list[str]:
    """Reasons in the job's history, the last one included, that no fault accounts for."""
    problems = []
    for line in job.history:
        reason, at = line.get("reason", ""), datetime.fromisoformat(line["at"]).timestamp()
        if not reason:
            continue
        if "was lost" in reason or "The worker stopped" in reason:
            pid = int(line["worker"].rpartition("-")[2])
            if not any(pid in fault.pids and fault.start <= at <= fault.end + SLACK for fault in faults):
                problems.append(f"{job.pk} says “{reason}”, but nothing happened to {line['worker']}")
        elif "disk was full" in reason:
            full = [fault for fault in faults if fault.kind == "fill disk"]
            if not any(fault.start <= at <= fault.end + 10 for fault in full):
                problems.append(f"{job.pk} says “{reason}”, but the disk was not")
        elif "database" in reason:
            away = [fault for fault in faults if fault.kind in ("kill postgres", "cut network")]
            if not any(fault.start <= at <= fault.end + SLACK for fault in away):
                problems.append(f"{job.pk} says “{reason}”, but it was there")
        else:
            problems.append(f"{job.pk} says “{reason}” ({(job.trace or '').strip().splitlines()[-1:]})")
    if job.state == "failed" and not job.reason:
        problems.append(f"{job.pk} failed without a reason")
    return problems


def _pictures(job, crowd: Crowd) -> list[str]:
    """What a job lacks of its pictures, or has too much."""
    from gallery.models import Media

    pictures = list(Media.objects.filter(job=job.pk).prefetch_related("renditions"))
    wanted = job.generation.count if job.state == "done" else 0
    problems = []
    if sorted(picture.index for picture in pictures) != [*range(wanted)]:
        problems.append(f"{job.pk} is {job.state} with {len(pictures)} pictures instead of {wanted}")
    shown = crowd.witness.ends.get(str(job.pk))
    if shown and shown.media and shown.media != {str(picture.pk) for picture in pictures}:
        problems.append(f"{job.pk} was shown with other pictures than it has")
    for picture in pictures:
        try:
            with picture.file.open() as file:
                if hashlib.sha256(file.read()).hexdigest() != picture.sha256:
                    problems.append(f"{picture.file.name} holds something else")
        except OSError as error:
            problems.append(f"{picture.file.name}: {error}")
        problems += [
            f"{rendition.file.name} is missing"
            for rendition in picture.renditions.all()
            if not rendition.file.storage.exists(rendition.file.name)
        ]
    return problems


def _orphans(site: Site) -> tuple[int, int]:
    """(files that a killed worker had left and the sweep removed, what it left over)."""

    def sweep(*args: str) -> int:
        facts = json.loads(site.manage("find_orphans", "--older-than", "0", *args).splitlines()[-1])
        return facts["files"] + facts["media"] + facts["renditions"]

    swept = sweep("--remove")
    return swept, sweep()
