"""The installation that is to suffer: Postgres, Redis, web, two workers, one of them in a network of its own."""

import contextlib
import errno
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.standins import FILLER, Relay
from tests.installation import ROOT, free_port
from tests.requirements import find_initdb, find_redis
from tests.servers import wait_for

LEASE = 5  # seconds
RETRIES = "1,2,4"  # seconds: a disk that is full for long exhausts them, one that is full for a moment does not
DISK = "48m"
BLOCK = b"\0" * 65536
HERE, THERE = "10.213.77.1", "10.213.77.2"  # ends of the cable to the worker in a network of its own


class CannotRun(Exception):  # noqa: N818
    """What is missing on this machine."""


def check() -> None:
    """CannotRun with all that is missing, in words for whoever has to provide it."""
    missing = []
    if not find_initdb():
        missing.append("PostgreSQL's programs initdb and postgres (Debian: apt-get install postgresql)")
    if not find_redis():
        missing.append("redis-server (Debian: apt-get install redis-server)")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        missing.append("setpriv (Debian: util-linux), since PostgreSQL does not run as root")
    if missing:
        raise CannotRun("make faults cannot run here. It misses:\n" + "\n".join(f"  - {what}" for what in missing))


def _mounts() -> bool:
    """Whether a small disk can be had."""
    with contextlib.suppress(OSError):
        probe = Path("/tmp") / f"atelier-probe-{os.getpid()}"
        probe.mkdir()
        try:
            if _quiet("mount", "-t", "tmpfs", "-o", "size=1m", "none", str(probe)):
                return _quiet("umount", str(probe))
        finally:
            probe.rmdir()
    return False


def _nets() -> bool:
    """Whether a worker can have a network of its own."""
    if not shutil.which("ip"):
        return False
    name = f"atelier-probe-{os.getpid()}"
    return _quiet("ip", "netns", "add", name) and _quiet("ip", "netns", "del", name)


def _quiet(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass
class Part:
    """One process of the installation, which can be killed and started again."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    pids: list[int] = field(default_factory=list)  # of all its lives; a worker's name ends in one

    def start(self) -> None:
        """Starts it, without waiting until it is ready."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.pids.append(self.process.pid)

    def send(self, number: signal.Signals) -> None:
        """A signal to this process alone."""
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """As the kernel or a power cut would."""
        self.send(signal.SIGKILL)
        assert self.process
        self.process.wait(30)

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def end(self) -> None:
        """Ends it in good order, or else at all."""
        if self.process and self.is_alive:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Site:
    """All parts in a folder, on a small disk, with a cable that can be cut."""

    def __init__(self, folder: Path) -> None:
        alike = bool(os.environ.get("FAULTS_STANDINS"))  # as on a machine that allows neither
        self.has_disk, self.has_net = not alike and _mounts(), not alike and _nets()
        self.folder = folder
        self.home = folder / "home"
        self.media = self.home / "media"
        self.net = f"atelier-faults-{os.getpid()}"
        self.ports = {name: free_port() for name in ("postgres", "redis", "web")}
        self.url = f"http://127.0.0.1:{self.ports['web']}"
        self.relay = Relay(self.ports["postgres"], self.ports["redis"])
        python = sys.executable
        celery = [python, "-W", "ignore", "-m", "celery", "-q", "-A", "config", "worker", "-P", "threads", "-c", "1"]
        celery += ["-Q", "atelier", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "-n"]
        web = [python, "-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port"]
        web += [str(self.ports["web"]), "--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        apart = ["ip", "netns", "exec", self.net] if self.has_net else []
        self.postgres = self._part("postgres", self._postgres_command())
        self.redis = self._part("redis", self._redis_command())
        self.web = self._part("web", web)
        self.workers = [
            self._part("worker-1", [*celery, "one@here"]),
            self._part("worker-2", [*apart, *celery, "two@there"], is_apart=True),
        ]

    @property
    def standins(self) -> list[str]:
        """What this machine does not allow, and what takes its place."""
        here = [(self.has_disk, "no tmpfs can be mounted: the storage says that the disk is full")]
        here += [(self.has_net, "no network namespace can be made: the second worker goes by a relay that can be cut")]
        return [words for works, words in here if not works]

    def environment(self, *, is_apart: bool = False) -> dict[str, str]:
        """What the parts are told; `is_apart`: the one at the end of the cable."""
        host = HERE if is_apart and self.has_net else "127.0.0.1"
        ports = self.relay.ports if is_apart and not self.has_net else {}
        postgres, redis = (ports.get(self.ports[name], self.ports[name]) for name in ("postgres", "redis"))
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings" if self.has_disk else "tests.faults.settings",
            "ATELIER_HOME": str(self.home),
            "DATABASE_URL": f"postgres://atelier@{host}:{postgres}/atelier",
            "REDIS_URL": f"redis://{host}:{redis}/0",
            "JOB_LEASE_SECONDS": str(LEASE),
            "JOB_HEARTBEAT_SECONDS": "1",
            "JOB_RETRY_SECONDS": RETRIES,
            "WORKER_POLL_SECONDS": "1",
            "PICTURES_PER_DAY": "1000000",
            "PYTHONUNBUFFERED": "1",
        }

    @contextlib.contextmanager
    def running(self) -> Iterator["Site"]:
        """Everything up and prepared, and nothing left behind afterwards."""
        try:
            self._make_room()
            self.redis.start()
            self.start_postgres()
            self._psql("postgres", "CREATE DATABASE atelier")
            command = [sys.executable, "manage.py", "prepare"]
            subprocess.run(command, cwd=ROOT, env=self.environment(), check=True, capture_output=True)
            for part in (self.web, *self.workers):
                part.start()
            yield self
        finally:
            self._clear()

    def start_postgres(self) -> None:
        """Starts the database and waits until it answers; what was killed may still hold its memory for a moment."""

        def answers() -> bool:
            if not self.postgres.is_alive:
                self.postgres.start()
            self._psql("postgres", "SELECT 1")
            return True

        wait_for(answers, "PostgreSQL answers", patience=60)

    def cut(self, *, off: bool) -> None:
        """Pulls the cable of the second worker, or puts it back."""
        if self.has_net:
            subprocess.run(["ip", "link", "set", "atelier-f0", "down" if off else "up"], check=True)
        else:
            self.relay.cut(off=off)

    def fill(self) -> None:
        """Not a byte more fits beside the pictures."""
        if self.has_disk:
            _fill(self.media / FILLER)
        else:
            (self.media / FILLER).touch()

    def empty(self) -> None:
        """There is room again."""
        (self.media / FILLER).unlink()

    def manage(self, *args: str) -> str:
        """The output of a management command."""
        command = [sys.executable, "manage.py", *args]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(), check=True, capture_output=True, text=True
        ).stdout

    def _part(self, name: str, command: list[str], *, is_apart: bool = False) -> Part:
        return Part(name, command, self.environment(is_apart=is_apart), self.folder / f"{name}.log")

    def _make_room(self) -> None:
        self.folder.chmod(0o755)  # the database runs as another user
        self.media.mkdir(parents=True)
        if self.has_disk:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "atelier-faults", str(self.media)], check=True
            )
        if self.has_net:
            self._lay_cable()
        else:
            self.relay.start()
        data = self.folder / "postgres"
        data.mkdir()
        if as_postgres := self._as_postgres():
            shutil.chown(data, as_postgres[1].partition("=")[2])
        initdb = [str(find_initdb()), "-D", str(data), "-U", "atelier", "--auth=trust", "-E", "UTF8"]
        subprocess.run([*as_postgres, *initdb], check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {HERE}/30 trust\n")

    def _lay_cable(self) -> None:
        for command in (
            ["netns", "add", self.net],
            ["link", "add", "atelier-f0", "type", "veth", "peer", "name", "atelier-f1", "netns", self.net],
            ["addr", "add", f"{HERE}/30", "dev", "atelier-f0"],
            ["link", "set", "atelier-f0", "up"],
            ["-n", self.net, "addr", "add", f"{THERE}/30", "dev", "atelier-f1"],
            ["-n", self.net, "link", "set", "atelier-f1", "up"],
            ["-n", self.net, "link", "set", "lo", "up"],
        ):
            subprocess.run(["ip", *command], check=True)

    def _as_postgres(self) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return []
        names = {entry.pw_name for entry in pwd.getpwall()}
        return ["setpriv", f"--reuid={'postgres' if 'postgres' in names else 'nobody'}", "--clear-groups", "--"]

    def _postgres_command(self) -> list[str]:
        program = str(Path(find_initdb() or "").with_name("postgres"))
        command = [
            *self._as_postgres(),
            program,
            "-D",
            str(self.folder / "postgres"),
            "-p",
            str(self.ports["postgres"]),
        ]
        command += ["-c", f"listen_addresses=127.0.0.1{',' + HERE if self.has_net else ''}"]
        return [*command, "-c", "unix_socket_directories=", "-c", "shared_buffers=64MB"]

    def _redis_command(self) -> list[str]:
        command = [find_redis() or "", "--port", str(self.ports["redis"]), "--bind", "127.0.0.1"]
        command += [HERE] if self.has_net else []
        command += ["--protected-mode", "no", "--dir", str(self.folder), "--appendonly", "yes", "--save", ""]
        return [*command, "--loglevel", "warning"]

    def _psql(self, database: str, statement: str) -> None:
        import psycopg

        address = f"host=127.0.0.1 port={self.ports['postgres']} user=atelier dbname={database} connect_timeout=2"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)

    def _clear(self) -> None:
        for part in (*self.workers, self.web, self.redis):
            part.end()
        if self.postgres.process and self.postgres.is_alive:
            self.postgres.send(signal.SIGINT)  # "fast": a database's own way to stop while somebody is connected
            self.postgres.process.wait(60)
        if self.has_disk:
            _quiet("umount", str(self.media))
        if self.has_net:
            _quiet("ip", "link", "del", "atelier-f0")
            _quiet("ip", "netns", "del", self.net)


def _fill(path: Path) -> None:
    """Writes until nothing more fits, in blocks first and then byte by byte."""
    with contextlib.ExitStack() as stack:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        stack.callback(os.close, descriptor)
        for block in (BLOCK, BLOCK[:4096], BLOCK[:64], BLOCK[:1]):
            while True:
                try:
                    os.write(descriptor, block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    break
