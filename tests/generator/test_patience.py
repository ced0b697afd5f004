"""Writing although the database is away for a moment."""

import pytest
from django.db import IntegrityError, OperationalError

from generator.patience import patiently


def _away(times: int, error: type[Exception] = OperationalError):
    calls: list[int] = []

    def write() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error("gone")
        return "written"

    return write, calls


def test_it_is_tried_until_it_works(db):
    write, calls = _away(2)
    signs: list[int] = []
    assert patiently(write, seconds=30, meanwhile=lambda: signs.append(1)) == "written"
    assert (len(calls), len(signs)) == (3, 2)


def test_it_ends_with_the_error_when_the_time_is_over(db):
    write, calls = _away(100)
    with pytest.raises(OperationalError):
        patiently(write, seconds=0)
    assert len(calls) == 1


def test_what_is_wrong_with_the_rows_is_not_tried_again(db):
    write, calls = _away(1, IntegrityError)
    with pytest.raises(IntegrityError):
        patiently(write, seconds=30)
    assert len(calls) == 1
