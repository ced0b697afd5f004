"""`make run`: broker, web server and worker as one program, started together and stopped together.

usage: python -m config.supervisor     (PORT, HOST, ATELIER_HOME, DATABASE_URL, REDIS_URL... from the environment)

Each child runs in a session of its own, so that Ctrl-C reaches only this process, which ends them in order. On Linux a
child also dies with this process, should that be killed outright; elsewhere the next start clears what was left.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config import broker
from config.runtime import BASE_DIR, embedded_redis_url, home, read_env, runtime_dir

PR_SET_PDEATHSIG = 1
PATIENCE = 25.0  # seconds that a child has to end after SIGTERM
QUICK = 10.0  # seconds of life under which a child counts as having failed at once
LONGEST_PAUSE = 30.0


class CannotStart(Exception):  # noqa: N818
    """Why Atelier cannot run here, and what to do about it."""


@dataclass
class Child:
    """One process that is kept running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0  # seconds to wait before the next start; doubles while it ends at once
    after_start: Callable[["Child"], None] = field(default=lambda child: None)

    def start(self) -> None:
        """Starts it now."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command, cwd=BASE_DIR, start_new_session=True, preexec_fn=_die_with_parent if _libc else None
        )
        self.after_start(self)

    def keep_alive(self) -> None:
        """Starts it again when it has ended, later each time when it ends at once."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started
        if lived < self.pause:
            return
        print(f"atelier: the {self.name} ended (exit status {self.process.returncode}); starting it again", flush=True)
        self.pause = min(max(1.0, self.pause * 2), LONGEST_PAUSE) if lived < QUICK + self.pause else 0.0
        self.start()

    def stop(self) -> None:
        """Asks it to end, waits, and ends it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            print(f"atelier: the {self.name} did not end in {PATIENCE:.0f} s; killing it", flush=True)
            self.process.kill()
            self.process.wait()


def _load_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_libc = _load_libc()


def _die_with_parent() -> None:
    assert _libc is not None
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _own_lock() -> int:
    """One Atelier for one ATELIER_HOME. The lock ends with the process, however that ends."""
    path = runtime_dir() / "supervisor.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = os.read(descriptor, 20).decode().strip()
        raise CannotStart(
            f"Atelier already runs with the data in {home()} (process {other}).\n"
            "Stop it first, or give this one a folder of its own: ATELIER_HOME=/another/folder make run"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({error.strerror}).\n"
                f"Stop the program that has it, or choose another port: PORT={port + 1} make run"
            ) from error


def _is_ready(host: str, port: int) -> bool:
    with contextlib.suppress(OSError):
        address = f"http://{host}:{port}/readyz"
        return urllib.request.urlopen(address, timeout=2).status == 200
    return False


class Supervisor:
    """Starts the children, keeps them alive, stops them."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.stopping = False
        self.children: list[Child] = []
        python = sys.executable
        self.web = Child("web server", [python, "-m", "uvicorn", "config.asgi:application", "--host", host])
        self.web.command += ["--port", str(port), "--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        self.web.command += ["--timeout-graceful-shutdown", "10"]
        self.worker = Child(
            "worker", [python, "-W", "ignore", "-m", "celery", "-q", "-A", "config", "worker", "-P", "threads"]
        )
        self.worker.command += ["-c", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]

    def run(self) -> None:
        """Returns after SIGTERM, SIGINT or SIGHUP, when everything has ended. CannotStart says why it cannot."""
        os.environ["ATELIER_HOME"] = str(home())  # a relative one means the same to the children
        lock = _own_lock()
        _check_port(self.host, self.port)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            self._start()
            announced = False
            while not self.stopping:
                for child in self.children:
                    child.keep_alive()
                if not announced and _is_ready(self.host, self.port):
                    announced = True
                    print(f"Atelier is ready: http://{self.host}:{self.port}   (Ctrl-C stops it)", flush=True)
                time.sleep(0.1)
        finally:
            self._stop()
            os.close(lock)

    def _start(self) -> None:
        if not read_env("REDIS_URL"):
            self._start_broker()
        prepared = subprocess.run([sys.executable, "manage.py", "prepare"], cwd=BASE_DIR, check=False)
        if prepared.returncode and not self.stopping:
            raise CannotStart("The data could not be prepared; what went wrong stands above.")
        for child in (self.web, self.worker):
            if not self.stopping:
                child.start()
                self.children.append(child)

    def _start_broker(self) -> None:
        folder = runtime_dir()
        broker.stop(folder)  # one that a killed supervisor left behind

        def settle(child: Child) -> None:
            assert child.process is not None
            broker.wait_until_ready(folder, child.process)

        child = Child("broker", broker.command(folder), after_start=settle)
        self.children.append(child)
        child.start()
        os.environ["REDIS_URL"] = embedded_redis_url()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _stop(self) -> None:
        running = [child for child in (self.web, self.worker) if child.process and child.process.poll() is None]
        for child in running:
            assert child.process is not None
            child.process.terminate()  # both at once; the broker outlives them
        for child in reversed(self.children):
            child.stop()
        with contextlib.suppress(OSError):
            (Path(runtime_dir()) / "v.sock").unlink(missing_ok=True)


def main() -> int:
    """The command: 0 after an orderly end, 1 when it could not start."""
    try:
        Supervisor(read_env("HOST") or "127.0.0.1", int(read_env("PORT") or "8000")).run()
    except (CannotStart, broker.BrokerMissingError, PermissionError) as error:
        print(f"Atelier cannot start. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
