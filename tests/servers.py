"""Servers of a test's own: Redis with TLS and Sentinels, PostgreSQL, certificates. Real programs on free ports."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.databases import administer, own_database
from tests.installation import free_port
from tests.requirements import find_initdb, find_openssl, find_redis

LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"


def wait_for(true: Callable[[], object], what: str, patience: float = 60.0) -> None:
    """Returns as soon as `true()` is so; an exception means "not yet". AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    error: Exception | None = None
    while time.monotonic() < end:
        try:
            if true():
                return
        except Exception as caught:  # the server is not up yet, say
            error = caught
        time.sleep(0.05)
    raise AssertionError(f"{what}: still not after {patience:.0f} s ({error})")


def needed(find: Callable[[], str | None]) -> str:
    """The program that one of tests.requirements' functions finds; without it the test is skipped."""
    return find() or pytest.skip(f"{find.__doc__} python -m tests.requirements says how to install it.")


@contextlib.contextmanager
def running(command: list[str], log: Path, **options) -> Iterator[subprocess.Popen[bytes]]:
    """A program for as long as the block lasts; what it prints goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Certificate:
    """What a server on 127.0.0.1 shows, signed by itself."""

    file: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Made by openssl, good for a day."""
    made = Certificate(folder / "server.pem", folder / "server.key")
    command = [
        needed(find_openssl),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    command += [
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-out",
        str(made.file),
        "-keyout",
        str(made.key),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made


@dataclass
class RedisServers:
    """`redis-server` processes in a folder, with what they share: a password, and a certificate if TLS is wanted."""

    folder: Path
    password: str = ""
    certificate: Certificate | None = None
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def serve(self, *, replica_of: int | None = None) -> int:
        """Starts a server and returns its port."""
        port = free_port()
        lines = [*self._listen(port), 'save ""', f"dir {self.folder}", f"logfile {self.folder}/{port}.log"]
        if self.password:
            lines += [f"requirepass {self.password}", f"masterauth {self.password}"]
        if replica_of:
            lines += [f"replicaof 127.0.0.1 {replica_of}"]
        return self._start(port, lines)

    def watch(self, master: int, service: str, password: str = "") -> int:
        """Starts a Sentinel over the server on port `master`, and returns its own port; one is a quorum."""
        port = free_port()
        lines = [*self._listen(port), f"dir {self.folder}", f"logfile {self.folder}/{port}.log"]
        lines += [f"sentinel monitor {service} 127.0.0.1 {master} 1", f"sentinel down-after-milliseconds {service} 500"]
        lines += [f"sentinel failover-timeout {service} 3000"]
        if self.password:
            lines += [f"sentinel auth-pass {service} {self.password}"]
        if password:
            lines += [f"requirepass {password}"]
        return self._start(port, lines, "--sentinel")

    def kill(self, port: int) -> None:
        """Ends one at once."""
        self.processes[port].kill()
        self.processes[port].wait()

    def stop(self) -> None:
        """Ends all."""
        for port in self.processes:
            self.kill(port)

    def _listen(self, port: int) -> list[str]:
        if not self.certificate:
            return ["bind 127.0.0.1", f"port {port}"]
        lines = ["bind 127.0.0.1", "port 0", f"tls-port {port}", "tls-auth-clients no", "tls-replication yes"]
        shown = f"tls-cert-file {self.certificate.file}", f"tls-key-file {self.certificate.key}"
        return [*lines, *shown, f"tls-ca-cert-file {self.certificate.file}"]

    def _start(self, port: int, lines: list[str], *flags: str) -> int:
        self._config(port).write_text("\n".join([*lines, "daemonize no", ""]))
        return self.start_again(port, *flags)

    def start_again(self, port: int, *flags: str) -> int:
        """One that was killed, as it was."""
        program = needed(find_redis)
        self.processes[port] = subprocess.Popen([program, str(self._config(port)), *flags], stdout=subprocess.DEVNULL)
        return port

    def _config(self, port: int) -> Path:
        return self.folder / f"{port}.conf"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of an empty database: in TEST_POSTGRES_URL's server, else the local one, else one of its own.

    Skips the test where there is none of them.
    """
    with contextlib.ExitStack() as stack:
        server = os.environ.get("TEST_POSTGRES_URL") or LOCAL_POSTGRES
        if not _answers(server):
            server = stack.enter_context(_own_postgres(folder))
        yield stack.enter_context(own_database(server))


def _answers(server: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        administer(server, "SELECT 1")
        return True
    return False


@contextlib.contextmanager
def _own_postgres(folder: Path) -> Iterator[str]:
    initdb = needed(find_initdb)
    port = free_port()
    options: dict[str, Any] = {"cwd": folder}
    if os.getuid() == 0:  # which PostgreSQL refuses to be
        options |= {"user": "postgres", "group": "postgres"}
        for place in (folder, *folder.parents[:2]):
            place.chmod(place.stat().st_mode | 0o755)
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    command = [initdb, "--auth=trust", "--username=postgres", "--no-sync", "-D", str(data)]
    subprocess.run(command, check=True, capture_output=True, **options)
    command = [str(Path(initdb).resolve().parent / "postgres"), "-D", str(data), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-k", str(folder)]
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    with running([*command, "-F"], folder / "log", **options):
        wait_for(lambda: _answers(url), "PostgreSQL answers")
        yield url
