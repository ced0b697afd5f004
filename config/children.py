"""A program that is kept running: started, started again when it ends, asked to end. Knows no Django."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from config.runtime import BASE_DIR

PR_SET_PDEATHSIG = 1
AUTOGROUP = Path("/proc/self/autogroup")  # of a session of processes; not every system has it
PATIENCE = 25.0  # seconds that a child has to end after SIGTERM
QUICK = 10.0  # seconds of life under which a child counts as having failed at once
LONGEST_PAUSE = 30.0


class CannotStart(Exception):  # noqa: N818
    """Why Atelier cannot run here, and what to do about it."""


def _give_way(nice: int) -> None:
    """Lowers this process and, where Linux shares processors out among sessions first, its session, see sched(7)."""
    os.nice(nice)
    with contextlib.suppress(OSError):
        AUTOGROUP.write_text(str(nice))


@dataclass
class Child:
    """One process that is kept running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0  # seconds to wait before the next start; doubles while it ends at once
    env: dict[str, str] = field(default_factory=dict)  # besides this process's own
    files: tuple[int, ...] = ()  # open files of this process that it gets
    nice: int = 0  # how far it gives way to others where the processors do not suffice
    after_start: Callable[["Child"], None] = field(default=lambda child: None)

    def start(self) -> None:
        """Starts it now."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=BASE_DIR,
            env={**os.environ, **self.env},
            pass_fds=self.files,
            start_new_session=True,
            preexec_fn=self._settle,
        )
        self.after_start(self)

    def _settle(self) -> None:
        if self.nice:
            _give_way(self.nice)
        if _libc:
            _die_with_parent()

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

    def ask_to_end(self) -> None:
        """Says SIGTERM."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

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


def stop_together(children: Iterable[Child]) -> None:
    """All at once, and none is left afterwards."""
    children = list(children)
    for child in children:
        child.ask_to_end()
    for child in children:
        child.stop()


def _load_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_libc = _load_libc()


def _die_with_parent() -> None:
    assert _libc is not None
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
