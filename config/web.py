"""The web server: a few processes of uvicorn behind one port, so that pages use more than one core. Knows no Django.

usage: python -m config.web [--host HOST] [--port PORT]     (WEB_PROCESSES, HOST, PORT from the environment)

Whoever starts the processes (this program, or `make run`'s) holds the port open for all of them: one that ends is
started again, and who connects in between waits a moment instead of being refused. On Linux each has a socket of its
own at that port, over which the system spreads connections (SO_REUSEPORT, socket(7)); of one that all share, whoever
wakes first takes all that wait, and a burst, or a proxy's lasting connections, end up at one process.
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


def bind(host: str, port: int) -> list[socket.socket]:
    """The port, once for each process; it answers nobody before the first does. CannotStart says why it cannot."""
    number = count()
    if sys.platform != "linux":
        return [_socket_at(host, port)] * number
    with _socket_at(host, port):
        pass  # sockets that share a port share it with another program's of that kind too: nobody's may be there
    return [_socket_at(host, port, socket.SO_REUSEPORT) for _process in range(number)]


def _socket_at(host: str, port: int, *options: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    for option in (socket.SO_REUSEADDR, *options):
        bound.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}).\n"
            f"Stop the program that has it, or choose another port: PORT={port + 1} make run"
        ) from error
    return bound


def children(sockets: list[socket.socket]) -> list[Child]:
    """The processes that answer at those sockets, one at each, not yet started."""
    _allow_many_files()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", *FLAGS, "--fd"]
    env = {"PROMETHEUS_MULTIPROC_DIR": _figures()} if len(sockets) > 1 else {}
    return [
        Child("web server", [*command, str(bound.fileno())], env=dict(env), files=(bound.fileno(),))
        for bound in sockets
    ]


def close(sockets: list[socket.socket]) -> None:
    """Who connects from now on is refused as soon as the processes have ended."""
    for bound in sockets:
        bound.close()


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

    sockets = bind(host, port)
    processes = children(sockets)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    for process in processes:
        process.start()
    while not stopping:
        for process in processes:
            process.keep_alive()
        time.sleep(0.1)
    close(sockets)
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
