"""What /metrics tells of jobs and workers. The rows are the truth, so any web process tells the same of all workers.

Depths are counted when asked, over what is unfinished. What has ended is counted once: a Tally keeps the sums, and each
scrape adds the jobs that ended since the last one: its cost does not grow with the history. Only the lag of events is
known to one web server alone: it is measured by the consumers of its processes.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from django.db.models import Count, F, Sum
from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from generator import queue
from generator.models import Checkpoint, Job, State, Tally, Worker
from generator.models.job import FINISHED
from generator.timeline import Step
from generator.troubles import DATABASE_GONE, OUT_OF_MEMORY, STORE_AWAY

EVENT_LAG = Histogram(
    "atelier_event_lag_seconds",
    "Time from the publishing of an event, in a worker or here, to its sending to a browser by this web server.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SETTLED = timedelta(seconds=15)  # a job that ended so long ago has been committed, whatever its worker's clock
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SPANS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)  # seconds
STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
PHASES = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)
BOUNDS = {"wait": SPANS, "run": SPANS, "step": STEPS, "phase": PHASES}

# What the exception that ended a job says of its reason. Few words: each is a time series.
REASONS = {
    "out_of_memory": OUT_OF_MEMORY,
    "storage": ("OSError", "FileNotFoundError", "PermissionError", "ConnectionError", "ClientError", *STORE_AWAY),
    "database": tuple(error.__name__ for error in DATABASE_GONE),
    "device": ("AcceleratorError",),
    "too_long": ("Overdue",),
    "model": ("CheckpointError", "SafetensorError"),
    "settings": ("SpecError",),
}
_EXCEPTION = re.compile(r"^(?:[\w]+\.)*(\w+)(?::|$)")


def reason_class(*, trace: str, quarantined: bool) -> str:
    """Why a job failed, in one word that no person typed."""
    if quarantined:
        return "worker_lost"
    last = trace.rstrip().rpartition("\n")[2]
    name = found[1] if (found := _EXCEPTION.match(last)) else ""
    return next((reason for reason, names in REASONS.items() if name in names), "other")


def fold() -> dict:
    """The sums over all jobs that have ended and settled: counters by label, histograms by kind and urgency."""
    tally, _created = Tally.objects.get_or_create(pk=1, defaults={"upto": BEGINNING})
    until = timezone.now() - SETTLED
    if until <= tally.upto:
        return tally.sums
    sums = tally.sums
    ended = Job.objects.filter(finished__gte=tally.upto, finished__lt=until, state__in=FINISHED).order_by()
    for row in ended.values(*_READ, pictures=F("generation__count")).iterator():
        _add(sums, row)
    # Two processes may be asked at once: the slower one's work is the same work, and is dropped.
    if Tally.objects.filter(pk=1, upto=tally.upto).update(upto=until, sums=sums):
        return sums
    return Tally.objects.get(pk=1).sums


_READ = ["kind", "urgency", "state", "created", "started", "finished", "steps", "attempts", "timings", "quarantined"]
_READ += ["trace", "first_step", "decoded", "stored"]


def _add(sums: dict, row: dict) -> None:
    count(sums, "ended", f"{row['kind']} {row['state']}")
    count(sums, "lost", row["kind"], row["attempts"])
    if row["state"] == State.DONE:
        count(sums, "images", row["kind"], row["pictures"] or 0)
    if row["state"] == State.FAILED:
        count(sums, "failures", reason_class(trace=row["trace"], quarantined=row["quarantined"]))
    if not row["started"] or row["kind"] == Job.Kind.TRAIN:  # of a training, only its last slice is told
        return
    label = f"{row['kind']} {Job.Urgency(row['urgency']).name.lower()}"
    observe(sums, "wait", label, (row["started"] - row["created"]).total_seconds())
    if row["state"] == State.DONE:
        observe(sums, "run", label, (row["finished"] - row["started"]).total_seconds())
        if row["steps"] and "denoise" in row["timings"]:
            observe(sums, "step", label, row["timings"]["denoise"] / row["steps"])
        for step, seconds in _phases(row):
            observe(sums, "phase", f"{row['kind']} {step}", seconds)


def _phases(row: dict) -> Iterator[tuple[Step, float]]:
    """What a job that is done did after its wait, as generator.timeline tells it of its last attempt."""
    if row["first_step"] and row["decoded"] and row["stored"]:
        decoding = row["timings"].get("decode", 0.0)
        yield Step.STARTING, (row["first_step"] - row["started"]).total_seconds()
        yield Step.DRAWING, (row["decoded"] - row["first_step"]).total_seconds() - decoding
        yield Step.DECODING, decoding
        yield Step.STORING, (row["stored"] - row["decoded"]).total_seconds()
        yield Step.FINISHING, (row["finished"] - row["stored"]).total_seconds()


def count(sums: dict, name: str, label: str, much: float = 1) -> None:
    """Adds to a counter."""
    counts = sums.setdefault(name, {})
    counts[label] = counts.get(label, 0) + much


def observe(sums: dict, name: str, label: str, seconds: float) -> None:
    """Adds to a histogram: [count of each bucket and of what is beyond, sum]."""
    bounds = BOUNDS[name]
    counts, total = sums.setdefault(name, {}).get(label) or ([0] * (len(bounds) + 1), 0.0)
    counts[bisect_left(bounds, seconds)] += 1
    sums[name][label] = [counts, total + max(0.0, seconds)]


class Jobs(Collector):
    """Jobs and workers, as the database has them."""

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: otherwise the database would be asked while the process starts."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Asked at every scrape."""
        yield from _depths()
        yield from _workers()
        sums = fold()
        for name, (title, help_text, labels) in COUNTERS.items():
            family = CounterMetricFamily(title, help_text, labels=labels)
            for label, value in sums.get(name, {}).items():
                family.add_metric(label.split(), value)
            yield family
        for name, (title, help_text, second) in HISTOGRAMS.items():
            family = HistogramMetricFamily(title, help_text, labels=["kind", second])
            names = [*(str(float(bound)) for bound in BOUNDS[name]), "+Inf"]
            for label, (counts, total) in sums.get(name, {}).items():
                family.add_metric(label.split(), list(zip(names, accumulate(counts), strict=True)), total)
            yield family


COUNTERS = {
    "images": ("atelier_images", "Pictures made.", ["kind"]),
    "ended": ("atelier_jobs_ended", "Jobs that ended, by how.", ["kind", "state"]),
    "failures": ("atelier_failures", "Jobs that failed, by the class of the reason.", ["reason"]),
    "lost": ("atelier_leases_expired", "Times that a worker was lost with a job, counted when the job ends.", ["kind"]),
}
HISTOGRAMS = {
    "wait": ("atelier_wait_seconds", "From asking to the (last) start, once for each job that ended.", "urgency"),
    "run": ("atelier_run_seconds", "From the (last) start to the end, once for each job that was done.", "urgency"),
    "step": ("atelier_step_seconds", "Mean time of a denoising step, once for each job that was done.", "urgency"),
    "phase": ("atelier_phase_seconds", "Parts of the last run, once for each job that was done.", "phase"),
}


def _depths() -> Iterable[Metric]:
    jobs = GaugeMetricFamily("atelier_queue_jobs", "Unfinished jobs.", labels=["state", "kind", "urgency"])
    seconds = GaugeMetricFamily(
        "atelier_queue_cost_seconds",
        "Seconds of one worker's time that unfinished jobs will take, at the pace measured for their models.",
        labels=["state", "kind", "urgency"],
    )
    sums = [
        (state, *row)
        for state in (State.QUEUED, State.RUNNING, State.PAUSED)
        for row in Job.objects.filter(state=state)
        .order_by()
        .values_list("kind", "urgency", "loads")
        .annotate(n=Count("pk"), total=Sum("cost"))
    ]
    known = Checkpoint.objects.filter(slug__in={loads for _state, _kind, _urgency, loads, *_sums in sums})
    paces = {checkpoint.slug: queue.pace(checkpoint.slug) for checkpoint in known}
    depth: Counter[tuple[str, str, str]] = Counter()
    work: Counter[tuple[str, str, str]] = Counter()
    for state, kind, urgency, loads, number, cost in sums:
        label = (state, kind, Job.Urgency(urgency).name.lower())
        depth[label] += number
        work[label] += cost * paces.get(loads, queue.FIRST_GUESS)
    for label, number in depth.items():
        jobs.add_metric(label, number)
        seconds.add_metric(label, work[label])
    yield jobs
    yield seconds


def _workers() -> Iterable[Metric]:
    family = GaugeMetricFamily("atelier_workers_alive", "Workers heard of in the last half minute.", labels=["paused"])
    alive = [*Worker.objects.alive().values_list("is_paused", flat=True)]
    for paused in (False, True):
        family.add_metric([str(paused).lower()], alive.count(paused))
    yield family
