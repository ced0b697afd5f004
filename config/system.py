"""What the system page asks: small questions to each part of the installation, all at once, none for long.

Every check is a function without arguments that returns Findings or raises; what it raises is a finding too. They run
in threads of their own, so a part that does not answer costs the page PATIENCE and no more.
"""

import platform
import shutil
import threading
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic, perf_counter, time
from typing import Any
from uuid import uuid4

import django
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.beat import last_tick
from config.celery import app as celery
from generator.charts import seconds
from generator.models import Worker

PATIENCE = 4.0  # seconds for all checks together
SLOW_DATABASE, SLOW_BROKER = 0.1, 0.05  # seconds for a question that asks nothing
SKEW = 2.0  # seconds between two clocks that still count as the same
DISK_LOW, DISK_BAD = 0.10, 0.03  # of a disk that is free


@dataclass(frozen=True)
class Finding:
    """One line of the page. `state`: "ok", "warn", "bad", or "fact" for what can be neither."""

    title: str
    says: str
    state: str = "ok"
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def versions() -> Iterable[Finding]:
    """What runs here and in the workers."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    yield Finding("Atelier", project["version"], "fact")
    yield Finding("Python, Django", f"{platform.python_version()}, {django.get_version()}", "fact")
    for version in sorted(set(Worker.objects.alive().exclude(version="").values_list("version", flat=True))):
        yield Finding(_("In workers"), version, "fact")


def database() -> Iterable[Finding]:
    """Kind, version, size and how fast it answers."""
    started = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    delay = perf_counter() - started
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            kind = f"PostgreSQL {cursor.fetchone()[0]}"
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
        else:
            cursor.execute("SELECT sqlite_version()")
            kind = f"SQLite {cursor.fetchone()[0]}"
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            size = cursor.fetchone()[0]
    yield Finding(_("Kind"), kind, "fact")
    yield Finding(_("Size"), filesizeformat(size), "fact")
    slow = _("Look at the database server's load and at the network to it.") if delay > SLOW_DATABASE else ""
    yield Finding(_("Answers in"), _ms(delay), "warn" if slow else "ok", slow)


def migrations() -> Iterable[Finding]:
    """Whether the tables are those that this version wants."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        yield Finding(_("Migrations"), _("all applied"))
        return
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _backwards in plan[:5])
    says = ngettext("%(n)d is missing: %(names)s", "%(n)d are missing: %(names)s", len(plan))
    advice = _("Stop the web server and the workers, run “manage.py migrate”, and start them again.")
    yield Finding(_("Migrations"), says % {"n": len(plan), "names": names}, "bad", advice)


def clocks() -> Iterable[Finding]:
    """Leases and links are judged by clocks: those of database, broker and workers have to agree with this one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::double precision")
            yield _clock(_("Database"), cursor.fetchone()[0] - time())
    ahead = [(worker.seen - timezone.now()).total_seconds() for worker in Worker.objects.alive()]
    if ahead and max(ahead) > SKEW:  # one that is behind only looks as if it had not been heard of for a while
        yield _clock(_("Workers"), max(ahead))
    elif ahead:
        yield Finding(_("Workers"), _("none is ahead"))


def broker_clock() -> Iterable[Finding]:
    """The broker's."""
    whole, micro = _redis().time()
    yield _clock(_("Broker"), whole + micro / 1e6 - time())


def _clock(title: str, off: float) -> Finding:
    if abs(off) <= SKEW:
        return Finding(title, _("agrees within %(time)s") % {"time": _ms(abs(off))})
    says = (_("%(time)s ahead") if off > 0 else _("%(time)s behind")) % {"time": seconds(abs(off))}
    return Finding(
        title, says, "bad", _("Let all machines keep their time by NTP: leases of jobs run out by the clock.")
    )


def broker() -> Iterable[Finding]:
    """Redis or Valkey: alive, how fast, how full."""
    client = _redis()
    started = perf_counter()
    client.ping()
    delay = perf_counter() - started
    info = client.info()
    name = "Valkey" if "valkey_version" in info else "Redis"
    yield Finding(_("Kind"), f"{name} {info.get('valkey_version') or info['redis_version']}", "fact")
    slow = _("Look at the broker's load and at the network to it.") if delay > SLOW_BROKER else ""
    yield Finding(_("Answers in"), _ms(delay), "warn" if slow else "ok", slow)
    used, most = info["used_memory"], info.get("maxmemory", 0)
    says = filesizeformat(used) + (f" / {filesizeformat(most)}" if most else "")
    full = bool(most) and used > 0.9 * most
    yield Finding(
        _("Memory"), says, "bad" if full else "ok", _("Give the broker more memory (maxmemory).") if full else ""
    )
    policy = info.get("maxmemory_policy", "noeviction")
    if most and policy != "noeviction":
        advice = _("Set “maxmemory-policy noeviction”: otherwise wake-ups and sessions of browsers get lost.")
        yield Finding(_("When it is full"), policy, "warn", advice)


def channel_layer() -> Iterable[Finding]:
    """Sends itself an event, as workers send them to browsers."""

    async def send_and_receive() -> float:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        for _attempt in range(2):  # the first one opens the connection
            started = perf_counter()
            await layer.send(channel, {"type": "event"})
            await layer.receive(channel)
        return perf_counter() - started

    yield Finding(_("An event to oneself"), _ms(async_to_sync(send_and_receive)()))


def cache_test() -> Iterable[Finding]:
    """Writes and reads."""
    key, started = f"system:{uuid4().hex}", perf_counter()
    cache.set(key, "there", 10)
    found = cache.get(key)
    cache.delete(key)
    if found != "there":
        yield Finding(_("Cache"), _("forgets what it was given"), "bad", _("Check REDIS_URL and the broker's memory."))
    else:
        yield Finding(_("Cache"), _ms(perf_counter() - started))


def disks() -> Iterable[Finding]:
    """Free space for the data, and for pictures where they are on another disk."""
    folders = {_("Data"): Path(settings.ATELIER_HOME)}
    store = storages["default"]
    if isinstance(store, FileSystemStorage):
        location = Path(store.location)
        location.mkdir(parents=True, exist_ok=True)
        if location.stat().st_dev != folders[_("Data")].stat().st_dev:
            folders[_("Pictures")] = location
    for title, folder in folders.items():
        usage = shutil.disk_usage(folder)
        free = usage.free / usage.total
        state = "bad" if free < DISK_BAD else "warn" if free < DISK_LOW else "ok"
        says = _("%(free)s free of %(all)s") % {"free": filesizeformat(usage.free), "all": filesizeformat(usage.total)}
        advice = _("Make room, empty the trash sooner, or move pictures to a larger disk or a bucket.")
        yield Finding(title, says, state, "" if state == "ok" else advice)


def storage_test() -> Iterable[Finding]:
    """Writes a small file where pictures go, reads it, removes it."""
    store, text, started = storages["default"], uuid4().hex.encode(), perf_counter()
    name = store.save(f"system/{uuid4().hex}.txt", ContentFile(text))
    try:
        with store.open(name) as file:
            same = file.read() == text
    finally:
        store.delete(name)
    if not same:
        yield Finding(_("Write and read"), _("what came back is something else"), "bad", _("Check the storage."))
    else:
        yield Finding(_("Write and read"), _ms(perf_counter() - started))


def workers() -> Iterable[Finding]:
    """Who draws."""
    alive = [*Worker.objects.alive()]
    if not alive:
        advice = _("Start one: “celery -A config worker -P threads -c 1”. Waiting jobs start when it is there.")
        yield Finding(_("Workers"), _("none was heard of in the last half minute"), "bad", advice)
        return
    paused = sum(worker.is_paused for worker in alive)
    says = ngettext("%(n)d alive", "%(n)d alive", len(alive)) % {"n": len(alive)}
    if paused:
        says += ", " + _("%(n)d paused") % {"n": paused}
    all_paused = paused == len(alive)
    yield Finding(
        _("Workers"), says, "warn" if all_paused else "ok", _("Release one on the queue page.") if all_paused else ""
    )


def beat() -> Iterable[Finding]:
    """Who calls the tasks that are due by the clock: tidying, mail, orphans."""
    every = [entry["schedule"] for entry in celery.conf.beat_schedule.values()]
    shortest = min((_length(schedule) for schedule in every), default=None)
    last = last_tick()
    if shortest is None:
        yield Finding(_("Scheduler"), _("nothing is scheduled"), "fact")
    elif last is None or time() - last > 2 * shortest + 60:
        says = _("never heard of") if last is None else _("silent for %(time)s") % {"time": seconds(time() - last)}
        advice = _("Start it: “celery -A config beat”. Until then nobody tidies up.")
        yield Finding(_("Scheduler"), says, "bad", advice)
    else:
        yield Finding(_("Scheduler"), _("%(time)s ago") % {"time": seconds(time() - last)})


def _length(schedule: Any) -> float:
    if isinstance(schedule, timedelta):
        return schedule.total_seconds()
    return float(schedule) if isinstance(schedule, int | float) else 86400.0  # a crontab: at least once a day


def mail() -> Iterable[Finding]:
    """Whether letters can be sent at all; the button beside it sends one."""
    if settings.EMAIL_CONFIGURED:
        yield Finding(_("Mail server"), f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}", "fact")
    else:
        advice = _("Set EMAIL_URL. Until then pages show links to copy where they would have sent a letter.")
        yield Finding(_("Mail server"), _("none"), "warn", advice)


def configuration() -> Iterable[Finding]:
    """Settings that are fine on a laptop and nowhere else."""
    local = {"localhost", "127.0.0.1", "[::1]"}
    is_public = not set(settings.ALLOWED_HOSTS) <= local
    rows = [
        (
            "DEBUG",
            settings.DEBUG,
            _("on"),
            "bad",
            _("Unset DEBUG: it shows the insides to everybody who meets an error."),
        ),
        (
            "ALLOWED_HOSTS",
            "*" in settings.ALLOWED_HOSTS,
            "*",
            "bad",
            _("Name the hosts: links in letters are made with whatever name a request claims."),
        ),
        (
            "HTTPS",
            is_public and not settings.HTTPS,
            _("off"),
            "bad",
            _("Put a proxy that speaks TLS in front and set HTTPS=1: passwords travel in the clear."),
        ),
        (
            "DEFAULT_FROM_EMAIL",
            settings.EMAIL_CONFIGURED and settings.DEFAULT_FROM_EMAIL.endswith("@localhost>"),
            settings.DEFAULT_FROM_EMAIL,
            "warn",
            _("Set the sender's address: letters from localhost end as spam."),
        ),
        (
            "SECRET_KEY",
            len(settings.SECRET_KEY) < 32,
            _("short"),
            "bad",
            _("Take a random one of 50 letters: whoever guesses it can sign in as anybody."),
        ),
    ]
    found = [Finding(title, says, state, advice) for title, is_wrong, says, state, advice in rows if is_wrong]
    yield from found or [Finding(_("Settings"), _("nothing to object to"))]


GROUPS: list[tuple[str, list[Check]]] = [
    (gettext_lazy("Versions"), [versions]),
    (gettext_lazy("Database"), [database, migrations]),
    (gettext_lazy("Broker, events and cache"), [broker, channel_layer, cache_test]),
    (gettext_lazy("Clocks"), [clocks, broker_clock]),
    (gettext_lazy("Storage"), [disks, storage_test]),
    (gettext_lazy("Workers and schedule"), [workers, beat]),
    (gettext_lazy("Mail"), [mail]),
    (gettext_lazy("Settings"), [configuration]),
]


def examine(patience: float = PATIENCE) -> list[tuple[str, list[Finding]]]:
    """The findings of all groups, in their order, after at most `patience` seconds."""
    found: dict[Check, list[Finding]] = {}

    def ask(check: Check) -> None:
        try:
            found[check] = [*check()]
        except Exception as error:  # whatever it is, it is what the page has to tell
            found[check] = [Finding(_name(check), f"{type(error).__name__}: {error}"[:300], "bad", _unreachable())]
        finally:
            connection.close()

    threads = [
        threading.Thread(target=ask, args=(check,), daemon=True) for _title, checks in GROUPS for check in checks
    ]
    end = monotonic() + patience
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    return [
        (title, [one for check in checks for one in found.get(check, [_silent(check, patience)])])
        for title, checks in GROUPS
    ]


def _silent(check: Check, patience: float) -> Finding:
    says = _("no answer within %(time)s") % {"time": seconds(patience)}
    return Finding(_name(check), says, "bad", _unreachable())


def _unreachable() -> str:
    return _("Is it running, and can this server reach it? The address is in the settings.")


def _name(check: Check) -> str:
    return check.__name__.replace("_", " ").capitalize()


def _redis():
    return cache._cache.get_client(None, write=True)


def _ms(span: float) -> str:
    return f"{span * 1000:.1f} ms" if span < 1 else seconds(span)
