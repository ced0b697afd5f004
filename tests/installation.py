"""A whole Atelier of its own, started as a person starts it: for browser tests, benchmarks and screenshots."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.databases import given_servers

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Installation:
    """A running supervisor with a home and a port of its own."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int
    env: dict[str, str]
    log: Path
    seconds_to_ready: float = 0.0

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def printed(self) -> str:
        """All it has printed so far."""
        return self.log.read_text()

    @property
    def administrator(self) -> tuple[str, str]:
        """(e-mail, one-time password), as printed at the first start."""
        email = re.search(r"^Administrator e-mail: (\S+)$", self.printed, re.MULTILINE)
        password = re.search(r"^One-time password: (\S+)$", self.printed, re.MULTILINE)
        assert email
        assert password, self.printed
        return email[1], password[1]

    def is_ready(self) -> bool:
        """Whether /readyz says 200."""
        with contextlib.suppress(OSError, urllib.error.URLError):
            return urllib.request.urlopen(f"{self.url}/readyz", timeout=2).status == 200
        return False

    def wait_until_ready(self, patience: float = 300.0) -> None:
        """Returns when it can work; RuntimeError with its output when it ends before, or takes too long."""
        started = time.monotonic()
        while time.monotonic() - started < patience:
            if self.process.poll() is not None:
                break
            if self.is_ready():
                self.seconds_to_ready = time.monotonic() - started
                return
            time.sleep(0.05)
        raise RuntimeError(f"Atelier did not get ready:\n{self.printed}")

    def manage(self, *args: str) -> str:
        """The output of a management command in this installation."""
        command = [sys.executable, "manage.py", *args]
        return subprocess.run(command, cwd=ROOT, env=self.env, check=True, capture_output=True, text=True).stdout

    def pids(self, part: str) -> list[int]:
        """The processes of this installation whose command line has `part`, found by their environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if f"ATELIER_HOME={self.home}".encode() in environment and part in command:
                    found.append(int(folder.name))
        return found

    def stop(self) -> int:
        """Ends it as Ctrl-C does. Returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def start(home: Path, command: list[str] | None = None, **env: str) -> Installation:
    """Starts `make run`'s program with its data in `home`; does not wait for it."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")},
        "ATELIER_HOME": str(home),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        **env,
    }
    home.mkdir(parents=True, exist_ok=True)
    log = home / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command or [sys.executable, "-m", "config.supervisor"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Installation(process, home, port, environment, log)


@contextlib.contextmanager
def running(**env: str):
    """An installation that is ready, and ended and removed afterwards.

    On SQLite with its own broker, or in the servers that TEST_POSTGRES_URL and TEST_REDIS_URL name.
    """
    with given_servers() as given, tempfile.TemporaryDirectory(prefix="atelier-run-") as folder:
        installation = start(Path(folder) / "home", **{**given, **env})
        try:
            installation.wait_until_ready()
            yield installation
        finally:
            if installation.process.poll() is None:
                installation.stop()
