"""`make run`: broker, web server and worker as one program, started together and stopped together.

usage: python -m config.supervisor     (PORT, HOST, ATELIER_HOME, DATABASE_URL, REDIS_URL... from the environment)

Each child runs in a session of its own, so that Ctrl-C reaches only this process, which ends them in order. On Linux a
child also dies with this process, should that be killed outright; elsewhere the next start clears what was left.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType

from config import broker, web
from config.children import CannotStart, Child, stop_together
from config.runtime import BASE_DIR, embedded_redis_url, home, read_env, runtime_dir


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
        self.web: list[Child] = []
        python = sys.executable
        self.worker = Child(
            "worker", [python, "-W", "ignore", "-m", "celery", "-q", "-A", "config", "worker", "-P", "threads"]
        )
        self.worker.nice = 5  # drawing takes every processor there is, and pages must not wait for it
        # Three threads: one waits for pictures, one may be at a long export; what is short need not wait for them.
        self.worker.command += ["-Q", "atelier,light", "-c", "3", "--loglevel", "WARNING"]
        self.worker.command += ["--without-gossip", "--without-mingle"]

    def run(self) -> None:
        """Returns after SIGTERM, SIGINT or SIGHUP, when everything has ended. CannotStart says why it cannot."""
        os.environ["ATELIER_HOME"] = str(home())  # a relative one means the same to the children
        lock = _own_lock()
        sockets = web.bind(self.host, self.port)
        self.web = web.children(sockets)
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
            web.close(sockets)
            self._stop()
            os.close(lock)

    def _start(self) -> None:
        if not read_env("REDIS_URL"):
            self._start_broker()
        prepared = subprocess.run([sys.executable, "manage.py", "prepare"], cwd=BASE_DIR, check=False)
        if prepared.returncode and not self.stopping:
            raise CannotStart("The data could not be prepared; what went wrong stands above.")
        for child in (*self.web, self.worker):
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
        stop_together([*self.web, self.worker])
        for child in reversed(self.children):
            child.stop()  # the broker outlives the others
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
