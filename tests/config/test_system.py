"""The system page: for administrators, quick whatever is dead, with advice where something is wrong."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config import beat, system
from generator.models import Worker


@pytest.fixture
def root(client, db) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    return client


def _states(check) -> dict[str, str]:
    return {finding.title: finding.state for finding in check()}


@pytest.mark.django_db(transaction=True)
def test_it_examines_everything(root):
    page = root.get("/admin/system/").content.decode()
    for words in ("Atelier", "Kind", "all applied", "An event to oneself", "Write and read", "free of", "Mail server"):
        assert words in page
    assert "none was heard of" in page  # of workers, in this test


def test_it_is_for_administrators(client, as_, alice, db):
    staff = User.objects.create_user("staff@example.com", "a rather long password", is_staff=True)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/admin/system/").status_code == 403
    assert client.post("/admin/system/mail/").status_code == 403
    assert as_(alice).get("/admin/system/").status_code == 302
    assert Client().get("/admin/system/").status_code == 302
    assert b"/admin/system/" not in client.get("/admin/").content


@pytest.mark.django_db(transaction=True)
def test_what_hangs_costs_no_more_than_the_patience(monkeypatch):
    released = []

    def hangs():
        while not released:
            time.sleep(0.01)
        yield from ()

    def breaks():
        raise ConnectionError("nobody there")
        yield

    monkeypatch.setattr(system, "GROUPS", [("A", [hangs, system.database]), ("B", [breaks])])
    started = time.monotonic()
    found = system.examine(patience=3.0)
    assert time.monotonic() - started < 30
    released.append(True)
    first, second = found[0][1], found[1][1]
    assert (first[0].title, first[0].state, first[0].says) == ("Hangs", "bad", "no answer within 3 s")
    assert first[1].title == "Kind"
    assert (second[0].state, second[0].says) == ("bad", "ConnectionError: nobody there")
    assert second[0].advice


def test_each_part_is_well_here(db, monkeypatch):
    monkeypatch.setattr(system, "SLOW_DATABASE", 30.0)  # this machine may be busy
    monkeypatch.setattr(system, "SLOW_BROKER", 30.0)
    for check in (system.database, system.migrations, system.broker, system.channel_layer, system.cache_test):
        assert not {"warn", "bad"} & set(_states(check).values())
    assert _states(system.storage_test) == {"Write and read": "ok"}
    assert _states(system.broker_clock) == {"Broker": "ok"}


def test_the_storage_test_leaves_nothing(db, settings):
    from pathlib import Path

    _states(system.storage_test)
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_workers_are_looked_at(db):
    assert _states(system.workers) == {"Workers": "bad"}
    Worker.objects.create(name="w", is_paused=True, version="0.1.0, torch 2.13.0")
    assert _states(system.workers) == {"Workers": "warn"}
    Worker.objects.update(is_paused=False)
    assert _states(system.workers) == {"Workers": "ok"}
    assert "torch 2.13.0" in " ".join(finding.says for finding in system.versions())


def test_a_workers_clock_that_is_ahead_is_seen(db):
    Worker.objects.create(name="w", seen=timezone.now() + timedelta(seconds=40))
    found = {finding.title: finding for finding in system.clocks()}
    assert found["Workers"].state == "bad"
    assert "ahead" in found["Workers"].says


def test_a_full_disk_is_said(db, monkeypatch):
    usage = type("Usage", (), {"total": 100_000, "used": 99_000, "free": 1_000})
    monkeypatch.setattr(system.shutil, "disk_usage", lambda folder: usage)
    assert set(_states(system.disks).values()) == {"bad"}


def test_the_schedulers_ticks_are_noticed(db, monkeypatch):
    conf = SimpleNamespace(beat_schedule={"recover": {"task": "x", "schedule": 15}})
    monkeypatch.setattr(system, "celery", SimpleNamespace(conf=conf))
    assert _states(system.beat) == {"Scheduler": "bad"}
    beat.note_tick(headers={})
    assert _states(system.beat) == {"Scheduler": "bad"}  # somebody else's task
    beat.note_tick(headers={"celery_beat_task": True})
    assert _states(system.beat) == {"Scheduler": "ok"}
    later = time.time() + 3600
    monkeypatch.setattr(system, "time", lambda: later)
    assert _states(system.beat) == {"Scheduler": "bad"}


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("DEBUG", True, "bad"),
        ("ALLOWED_HOSTS", ["*"], "bad"),
        ("SECRET_KEY", "short", "bad"),
        ("DEFAULT_FROM_EMAIL", "Atelier <atelier@localhost>", "warn"),
    ],
)
def test_settings_for_a_laptop_only(settings, name, value, state):
    settings.EMAIL_CONFIGURED = True
    settings.DEFAULT_FROM_EMAIL = "Atelier <studio@example.com>"
    settings.ALLOWED_HOSTS = ["localhost"]
    assert _states(system.configuration) == {"Settings": "ok"}
    setattr(settings, name, value)
    assert _states(system.configuration)[name] == state


def test_a_public_name_wants_https(settings):
    settings.ALLOWED_HOSTS = ["studio.example.com"]
    settings.HTTPS = False
    assert _states(system.configuration)["HTTPS"] == "bad"


def test_a_letter_goes_to_whoever_asks(root, settings):
    settings.EMAIL_CONFIGURED = True
    page = root.post("/admin/system/mail/", {"to": "somebody@else.example"}, follow=True).content.decode()
    assert [letter.to for letter in mail.outbox] == [["root@example.com"]]
    assert "took a letter to root@example.com" in page
    assert root.get("/admin/system/mail/").status_code == 405


def test_what_the_mail_server_says_is_told(root, settings):
    settings.EMAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = root.post("/admin/system/mail/", follow=True).content.decode()
    assert "The letter was not sent. ConnectionRefusedError" in page


def test_without_a_mail_server_it_says_so(root, settings):
    settings.EMAIL_CONFIGURED = False
    assert "There is no mail server" in root.post("/admin/system/mail/", follow=True).content.decode()
    assert mail.outbox == []
