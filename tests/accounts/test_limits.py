"""How often somebody may do something is counted from the first time on, for each thing of its own."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from accounts import limits


def test_each_time_counts_and_one_too_many_is_told():
    what = f"test.{uuid4()}"
    rates = [limits.count(what, times=2, seconds=10**9) for _n in range(3)]
    assert [rate.used for rate in rates] == [1, 2, 3]
    assert [rate.remaining for rate in rates] == [1, 0, 0]
    assert [rate.is_exceeded for rate in rates] == [False, False, True]
    assert limits.count(f"{what}.other", times=2, seconds=10**9).used == 1


def test_many_at_once_are_all_counted():
    what = f"test.{uuid4()}"
    with ThreadPoolExecutor(8) as threads:
        rates = list(threads.map(lambda _n: limits.count(what, times=9, seconds=10**9), range(40)))
    assert sorted(rate.used for rate in rates) == list(range(1, 41))
