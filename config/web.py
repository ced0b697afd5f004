"""The web server: a few processes of uvicorn behind one port, so that pages use more than one core. Knows no Django.

usage: python -m config.web [--host HOST] [--port PORT]     (WEB_PROCESSES, HOST, PORT from the environment)

Whoever starts the processes (this program, or `make run`'s) holds the port open for all of them: one that ends is
started again, and who connects in between waits a moment instead of being refused.
"""

import argparse
import os
import resource
import shutil
import signal
import socket
import sys
import time
from types import FrameType

from config.children import CannotStart, Child, stop_together
from config.runtime import read_env, runtime_dir

OPEN_FILES = 16_384  # each page has a socket; many systems allow 1,024 unless one asks for more
FLAGS = ["--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-graceful-shutdown", "10"]
# What is said in sockets is short: compressing it takes more memory and time than it saves.
FLAGS += ["--ws-per-message-deflate", "false"]


def count() -> int:
    """How many processes: WEB_PROCESSES, else two where there are several cores, four from eight on."""
    if given := read_env("WEB_PROCESSES"):
        return max(1, int(given))
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return 1 if cores < 2 else 2 if cores < 8 else 4


def bind(host: str, port: int) -> socket.socket:
    """The port, which answers nobody before the first process does. CannotStart says why it cannot be had."""
    port_of_ours = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    port_of_ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port_of_ours.bind((host, port))
    except OSError as error:
        port_of_ours.close()
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}).\n"
            f"Stop the program that has it, or choose another port: PORT={port + 1} make run"
        ) from error
    return port_of_ours


def children(bound: socket.socket) -> list[Child]:
    """The processes that answer at that port, not yet started."""
    _allow_many_files()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--fd", str(bound.fileno()), *FLAGS]
    number = count()
    env = {"PROMETHEUS_MULTIPROC_DIR": _figures()} if number > 1 else {}
    return [Child("web server", list(command), env=dict(env), files=(bound.fileno(),)) for _process in range(number)]


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _figures() -> str:
    """An empty folder where the processes keep what /metrics tells of them all."""
    folder = runtime_dir() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return str(folder)


def serve(host: str, port: int) -> None:
    """Returns after SIGTERM or SIGINT, when everything has ended. CannotStart says why it cannot."""
    stopping = False

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    bound = bind(host, port)
    processes = children(bound)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    for process in processes:
        process.start()
    while not stopping:
        for process in processes:
            process.keep_alive()
        time.sleep(0.1)
    bound.close()
    stop_together(processes)


def main() -> int:
    """The command: 0 after an orderly end, 1 when it could not start."""
    parser = argparse.ArgumentParser(prog="config.web", description=__doc__)
    parser.add_argument("--host", default=read_env("HOST") or "127.0.0.1")
    parser.add_argument("--port", type=int, default=int(read_env("PORT") or "8000"))
    given = parser.parse_args()
    try:
        serve(given.host, given.port)
    except (CannotStart, PermissionError) as error:
        print(f"The web server cannot start. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
