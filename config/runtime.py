"""Where this installation keeps its data and its short-lived sockets. Knows no Django: the supervisor uses it first."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


def read_env(name: str, default: str | None = None) -> str | None:
    """The environment variable `name`, or what the file named by `name`_FILE holds (for secrets), or `default`."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return default


def home() -> Path:
    """The folder that holds all data of this installation (ATELIER_HOME, default var/)."""
    return Path(os.environ.get("ATELIER_HOME") or BASE_DIR / "var").resolve()


def runtime_dir() -> Path:
    """A short private folder for sockets: a unix socket's path has at most 107 bytes, too few for a deep clone.

    Raises PermissionError when somebody else owns the folder, since whoever owns it could stand in for the broker.
    """
    name = f"atelier-{os.getuid()}-{hashlib.sha256(str(home()).encode()).hexdigest()[:10]}"
    path = Path(tempfile.gettempdir()) / name
    path.mkdir(mode=0o700, exist_ok=True)
    facts = path.lstat()
    if facts.st_uid != os.getuid() or not stat.S_ISDIR(facts.st_mode) or stat.S_IMODE(facts.st_mode) & 0o077:
        raise PermissionError(f"{path} is not a private folder of this user; remove it and start again")
    return path


def embedded_redis_url() -> str:
    """URL of the embedded Valkey's socket, as redis-py writes it."""
    return f"unix://{runtime_dir() / 'v.sock'}"
