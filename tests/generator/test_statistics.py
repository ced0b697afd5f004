"""What administrators are told of a stretch of time, on rows whose figures are known."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from generator import statistics
from generator.models import Generation, Job, State
from generator.statistics import STRETCHES

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def ended(make_job, alice):
    """`ended(at, state, wait, run, pictures, owner)`: a job that ended at that time."""

    def make(at: datetime, state=State.DONE, wait=1.0, run=2.0, pictures=1, owner=None) -> Job:
        started = at - timedelta(seconds=run)
        job = make_job(owner or alice)
        times = {"created": started - timedelta(seconds=wait), "started": started, "finished": at}
        Job.objects.filter(pk=job.pk).update(state=state, **times)
        Generation.objects.filter(pk=job.pk).update(count=pictures)
        return job

    return make


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("24h", datetime(2026, 11, 19, 16, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 13, 18, tzinfo=UTC)),
        ("30d", datetime(2026, 10, 22, tzinfo=UTC)),
    ],
)
def test_slots_begin_where_the_clocks_hours_and_days_do(name, first):
    stretch = STRETCHES[name]
    starts = stretch.starts(NOW)
    assert starts[0] == first
    assert len(starts) == stretch.slots
    assert starts[-1] <= NOW < starts[-1] + stretch.slot


def test_each_end_is_counted_in_its_slot(ended):
    hour = timedelta(hours=1)
    ended(NOW, pictures=4)
    ended(NOW - timedelta(minutes=29), pictures=2)
    ended(NOW - timedelta(minutes=31))  # the hour before
    ended(NOW - 2 * hour, State.FAILED)
    ended(NOW - 2 * hour, State.CANCELLED)
    ended(NOW - 25 * hour)  # too long ago
    found = statistics.outcomes(STRETCHES["24h"], NOW)
    assert found["done"] == [*[0] * 22, 1, 2]
    assert found["failed"] == found["cancelled"] == [*[0] * 21, 1, 0, 0]
    assert found["pictures"] == [*[0] * 22, 1, 6]


def test_spans_have_exact_percentiles(ended):
    for number in range(1, 21):
        ended(NOW, wait=number, run=number / 10)
    ended(NOW - timedelta(hours=3), wait=100, run=5)
    ended(NOW, State.FAILED, wait=1000, run=1000)
    wait = statistics.spans(STRETCHES["24h"], NOW, "wait")
    assert wait["slots"][-1] == {50: pytest.approx(11), 95: pytest.approx(20)}
    assert wait["slots"][-4] == {50: pytest.approx(100), 95: pytest.approx(100)}
    assert wait["slots"][0] == {50: None, 95: None}
    assert wait["all"] == {50: pytest.approx(11), 95: pytest.approx(100)}
    assert wait["histogram"] == [1, 1, 3, 5, 10, 0, 1, 1, 0]
    run = statistics.spans(STRETCHES["24h"], NOW, "run")  # of what was done
    assert run["slots"][-1] == {50: pytest.approx(1.0), 95: pytest.approx(1.9)}


@pytest.mark.parametrize(
    ("values", "half", "most"), [([], None, None), ([3], 3, 3), ([1, 2], 1, 2), ([*range(1, 101)], 50, 95)]
)
def test_percentiles_are_by_nearest_rank(values, half, most):
    assert statistics.percentiles(Counter(values)) == {50: half, 95: most}


def test_the_mean_of_each_phase(ended):
    for seconds, decode in ((10, 1.0), (20, 3.0)):
        job = ended(NOW, wait=4, run=seconds)
        started = NOW - timedelta(seconds=seconds)
        marks = {"first_step": 1, "decoded": seconds - 2, "stored": seconds - 1}
        times = {name: started + timedelta(seconds=at) for name, at in marks.items()}
        Job.objects.filter(pk=job.pk).update(**times, timings={"decode": decode})
    ended(NOW)  # from before there were marks
    found = statistics.phases(STRETCHES["24h"], NOW)
    expected = {"waiting": 4, "starting": 1, "drawing": 10, "decoding": 2, "storing": 1, "finishing": 1}
    assert found == pytest.approx(expected, abs=0.01)
    assert set(statistics.phases(STRETCHES["24h"], NOW - timedelta(days=9)).values()) == {None}


def test_who_made_most(ended, alice, bob):
    ended(NOW, pictures=4, owner=bob)
    ended(NOW, pictures=2, owner=bob)
    ended(NOW, pictures=3, owner=alice)
    ended(NOW, State.FAILED, pictures=8, owner=alice)
    makers = statistics.outcomes(STRETCHES["24h"], NOW)["makers"]
    assert [(row["name"], row["pictures"]) for row in makers] == [("Bob", 6), ("Alice", 3)]


def test_the_line_and_the_storage(make_job, make_media, alice):
    job = make_job(alice)
    make_media(alice)
    type(trashed := make_media(alice)).objects.filter(pk=trashed.pk).update(deleted=timezone.now())
    line, storage = statistics.line(), statistics.storage()
    assert (line["queued"], line["running"], line["oldest"]) == (1, 0, job.created)
    assert (storage["pictures"], storage["trash"]) == (1, 1)
    assert storage["kept_bytes"] > 0
    assert storage["renditions"] == 4


def test_it_is_counted_once_for_half_a_minute(ended, django_assert_num_queries):
    ended(timezone.now())
    first = statistics.overview("24h")
    with django_assert_num_queries(0):
        assert statistics.overview("24h") == first


def test_without_a_cache_it_is_counted(db, monkeypatch):
    def broken(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(cache, "get_or_set", broken)
    assert sum(statistics.overview("7d")["outcomes"]["done"]) == 0
