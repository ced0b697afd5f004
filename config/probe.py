"""The health checks of containers: `python -m config.probe web|worker|light|beat`. Exit status 0 when it is well.

Each asks about the container that it runs in.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from config.runtime import read_env

SCHEDULE_AGE = 600  # seconds; celery's beat writes its schedule down every three minutes


def web() -> bool:
    """The web server answers, by one of the names that it is known by."""
    names = [name for name in read_env("ALLOWED_HOSTS", "localhost").split(",") if name]
    host = "localhost" if names[0] == "*" else names[0].removeprefix(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(read_env("PORT", "8000")), timeout=5)
    connection.request("GET", "/healthz", headers={"Host": host})
    return connection.getresponse().status == http.client.OK


def worker() -> bool:
    """The worker's heartbeat has reached the database lately."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from generator.models import Worker

    return Worker.objects.alive().filter(name__startswith=f"{socket.gethostname()}-").exists()


def light() -> bool:
    """The worker of small tasks answers through the broker."""
    name = f"light@{socket.gethostname()}"
    command = [sys.executable, "-m", "celery", "-A", "config", "inspect", "ping", "-d", name, "--timeout", "5"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def beat() -> bool:
    """The clock has written down lately what it did when."""
    files = Path(tempfile.gettempdir()).glob("celerybeat-schedule*")
    return time.time() - max((file.stat().st_mtime for file in files), default=0.0) < SCHEDULE_AGE


CHECKS: dict[str, Callable[[], bool]] = {"web": web, "worker": worker, "light": light, "beat": beat}

if __name__ == "__main__":
    try:
        sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
    except (KeyError, IndexError, OSError, http.client.HTTPException) as error:
        sys.exit(f"{error!r}; one of {', '.join(CHECKS)}")
