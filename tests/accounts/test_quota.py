"""The quota: counted a person and day over all teams, exact under concurrency, given back."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Usage
from accounts.services import QuotaExceeded, charge, create_team, left_today, refund


def test_all_teams_count_together(alice, studio, settings):
    settings.PICTURES_PER_DAY = 10
    charge(user=alice, team=studio, pictures=4)
    charge(user=alice, team=create_team(user=alice, name="Other"), pictures=3)
    assert left_today(alice) == 3
    with pytest.raises(QuotaExceeded) as refusal:
        charge(user=alice, team=studio, pictures=4)
    assert (refusal.value.left, refusal.value.limit) == (3, 10)
    assert "3 of 10" in str(refusal.value)
    assert left_today(alice) == 3


def test_own_number_goes_before_the_installations(alice, studio, settings):
    settings.PICTURES_PER_DAY = 10
    alice.pictures_per_day = 0
    alice.save()
    assert left_today(alice) == 0
    with pytest.raises(QuotaExceeded):
        charge(user=alice, team=studio, pictures=1)
    alice.pictures_per_day = 20
    alice.save()
    assert left_today(alice) == 20


def test_yesterday_does_not_count(alice, studio, settings):
    settings.PICTURES_PER_DAY = 5
    Usage.objects.create(user=alice, team=studio, day=timezone.localdate() - timedelta(days=1), pictures=5)
    assert left_today(alice) == 5


def test_what_never_came_is_given_back_on_its_own_day(alice, studio, settings):
    settings.PICTURES_PER_DAY = 5
    day = charge(user=alice, team=studio, pictures=5)
    refund(user=alice, team=studio, pictures=2, day=day)
    assert left_today(alice) == 2
    refund(user=alice, team=studio, pictures=2, day=day - timedelta(days=1))
    assert left_today(alice) == 2
    refund(user=alice, team=studio, pictures=50, day=day)
    assert left_today(alice) == 5


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_cannot_overspend(alice, studio, settings):
    settings.PICTURES_PER_DAY = 20
    start, outcomes = threading.Barrier(8), []

    def spend():
        start.wait()
        for _n in range(5):
            try:
                charge(user=alice, team=studio, pictures=1)
                outcomes.append("made")
            except QuotaExceeded:
                outcomes.append("refused")
        connection.close()

    threads = [threading.Thread(target=spend) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("made"), outcomes.count("refused")) == (20, 20)
    assert left_today(alice) == 0
