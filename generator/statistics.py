"""What administrators are shown of a stretch of time: sums, spans and percentiles of jobs, all made by the database.

Times are cut and subtracted by functions that SQLite and PostgreSQL have built in. Django's own TruncHour and its
difference of two times call back into Python for every row of SQLite: seconds, for a hundred thousand jobs.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, FloatField, Func, IntegerField, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from gallery.models import Media, Rendition
from generator.models import Job, State
from generator.models.job import FINISHED
from generator.timeline import Step

KEPT = 30  # seconds that an answer is good for: a page that is reloaded asks the database no faster
BOUNDS = (1, 2, 5, 10, 30, 60, 300, 1800)  # seconds; the bars of a histogram, and one for what is longer
TENTH = 0.1
TOP = 8


@dataclass(frozen=True)
class Stretch:
    """The last hours or days, in slots of equal length."""

    name: str
    title: str
    slots: int
    slot: timedelta

    def start(self, now: datetime) -> datetime:
        """Of its first slot: the last one holds `now`, and slots of hours and days begin where the clock's do."""
        now = timezone.localtime(now)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        current = midnight + (now - midnight) // self.slot * self.slot
        return current - (self.slots - 1) * self.slot

    def starts(self, now: datetime) -> list[datetime]:
        """Of all its slots."""
        return [self.start(now) + number * self.slot for number in range(self.slots)]


STRETCHES = {
    stretch.name: stretch
    for stretch in (
        Stretch("24h", _("24 hours"), 24, timedelta(hours=1)),
        Stretch("7d", _("7 days"), 28, timedelta(hours=6)),
        Stretch("30d", _("30 days"), 30, timedelta(days=1)),
    )
}


class Epoch(Func):
    """A time as seconds since 1970."""

    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"

    def as_sqlite(self, compiler, connection, **context):
        """A day's fraction, to the millisecond."""
        template = "((julianday(%(expressions)s) - 2440587.5) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)


class Slot(Func):
    """Which slot some seconds since its start fall into, from 0."""

    output_field = IntegerField()
    template = "FLOOR((%(expressions)s))::integer"
    arg_joiner = " / "

    def as_sqlite(self, compiler, connection, **context):
        """CAST cuts off, which is FLOOR for what is not negative."""
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS INTEGER)", **context)


SPANS = {
    "wait": Epoch(F("started")) - Epoch(F("created")),
    "run": Epoch(F("finished")) - Epoch(F("started")),
}

# What a job that was done did one after the other; see generator.timeline.Step.
_DECODING = Cast(KeyTextTransform("decode", "timings"), FloatField())
PHASES = {
    Step.WAITING: SPANS["wait"],
    Step.STARTING: Epoch(F("first_step")) - Epoch(F("started")),
    Step.DRAWING: Epoch(F("decoded")) - Epoch(F("first_step")) - _DECODING,
    Step.DECODING: _DECODING,
    Step.STORING: Epoch(F("stored")) - Epoch(F("decoded")),
    Step.FINISHING: Epoch(F("finished")) - Epoch(F("stored")),
}


def ended(stretch: Stretch, now: datetime) -> QuerySet[Job]:
    """The jobs that ended in it, each with its slot."""
    start = stretch.start(now)
    since = Epoch(F("finished")) - Value(start.timestamp())
    jobs = Job.objects.filter(finished__gte=start, finished__lte=now, state__in=FINISHED).order_by()
    return jobs.annotate(slot=Slot(since, Value(stretch.slot.total_seconds())))


def outcomes(stretch: Stretch, now: datetime) -> dict[str, Any]:
    """How many jobs ended in each slot, by state; how many "pictures" were made; the "makers" of most of them."""
    counts = {str(name): [0] * stretch.slots for name in (State.DONE, State.FAILED, State.CANCELLED, "pictures")}
    made: Counter[int] = Counter()
    groups = ended(stretch, now).values_list("slot", "state", "owner")
    for slot, state, owner, number, pictures in groups.annotate(n=Count("pk"), made=Sum("generation__count")):
        counts[state][slot] += number
        if state == State.DONE:
            counts["pictures"][slot] += pictures or 0
            made[owner] += pictures or 0
    top = made.most_common(TOP)
    people = User.objects.in_bulk([owner for owner, _pictures in top])
    makers = [{"owner": owner, "name": str(people[owner]), "pictures": pictures} for owner, pictures in top]
    return {**counts, "makers": makers}


def spans(stretch: Stretch, now: datetime, name: str) -> dict[str, Any]:
    """Of a span of time ("wait" or "run"): its histogram, the percentiles of all, and those of each slot.

    Percentiles are by nearest rank, a value that really occurred, to the tenth of a second. None where nothing did.
    """
    jobs = ended(stretch, now).filter(started__isnull=False)
    if name == "run":
        jobs = jobs.filter(state=State.DONE)
    tenths = Slot(SPANS[name] + Value(TENTH / 2), Value(TENTH))
    slots: list[Counter[float]] = [Counter() for _slot in range(stretch.slots)]
    # Grouped, not ranked by window functions: one pass over the rows instead of several sorts, a fifth of the time.
    for slot, span, number in jobs.annotate(span=tenths).values_list("slot", "span").annotate(n=Count("pk")):
        slots[slot][span * TENTH] = number
    total = sum(slots, Counter())
    histogram = [0] * (len(BOUNDS) + 1)
    for span, number in total.items():
        histogram[bisect_left(BOUNDS, span)] += number
    return {"histogram": histogram, "all": percentiles(total), "slots": [percentiles(slot) for slot in slots]}


def percentiles(counts: Counter[float]) -> dict[int, float | None]:
    """The median and the 95th percentile of values that were counted."""
    values = sorted(counts)
    upto = [*accumulate(counts[value] for value in values)]
    if not values:
        return {50: None, 95: None}
    return {percent: values[bisect_left(upto, percent / 100 * upto[-1])] for percent in (50, 95)}


def phases(stretch: Stretch, now: datetime) -> dict[str, float | None]:
    """The mean seconds of each phase, over the jobs that were done. None where nothing was measured."""
    done = ended(stretch, now).filter(state=State.DONE, decoded__isnull=False)
    return done.aggregate(**{str(step): Avg(span) for step, span in PHASES.items()})


def line() -> dict[str, Any]:
    """What is unfinished at this moment: how many by state, and since when the oldest waits."""
    counts = {state: Job.objects.filter(state=state).count() for state in (State.QUEUED, State.RUNNING, State.PAUSED)}
    oldest = Job.objects.filter(state=State.QUEUED).order_by("created").values_list("created", flat=True).first()
    return {**{str(state): number for state, number in counts.items()}, "oldest": oldest}


def storage() -> dict[str, int]:
    """Pictures and their bytes, kept and in the trash, and how many renditions there are."""
    kept, trashed = Q(deleted=None), Q(deleted__isnull=False)
    sums = Media.objects.order_by().aggregate(
        pictures=Count("pk", filter=kept),
        kept_bytes=Sum("bytes", filter=kept, default=0),
        trash=Count("pk", filter=trashed),
        trash_bytes=Sum("bytes", filter=trashed, default=0),
    )
    return {**sums, "renditions": Rendition.objects.count()}


def overview(name: str) -> dict[str, Any]:
    """All of the above for one of STRETCHES, at most KEPT seconds old."""

    def count() -> dict[str, Any]:
        stretch, now = STRETCHES[name], timezone.now()
        return {
            "now": now,
            "outcomes": outcomes(stretch, now),
            "wait": spans(stretch, now, "wait"),
            "run": spans(stretch, now, "run"),
            "phases": phases(stretch, now),
            "line": line(),
            "storage": storage(),
        }

    return _remembered(f"statistics:{name}", count)


def _remembered(key: str, count: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return cache.get_or_set(key, count, KEPT)
    except Exception:  # no broker, no memory: an administrator needs this page then most of all
        return count()
