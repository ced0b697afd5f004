"""All tests on PostgreSQL and Redis: `python -m tests.with_servers [pytest's arguments]`.

In the servers of TEST_POSTGRES_URL and TEST_REDIS_URL, else in those of this machine, else in ones started here.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import redis

from tests.servers import RedisServers, postgres, wait_for

LOCAL_REDIS = "redis://127.0.0.1:6379/9"


def _answers(url: str) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(redis.Redis.from_url(url, socket_connect_timeout=2).ping())
    return False


def main() -> int:
    """pytest's exit status."""
    with tempfile.TemporaryDirectory(prefix="atelier-servers-") as folder, contextlib.ExitStack() as stack:
        place = Path(folder) / "postgres"
        place.mkdir()
        database = stack.enter_context(postgres(place))
        broker = os.environ.get("TEST_REDIS_URL") or LOCAL_REDIS
        if not _answers(broker):
            servers = RedisServers(Path(folder))
            broker = f"redis://127.0.0.1:{servers.serve()}/0"
            stack.callback(servers.stop)
            wait_for(lambda: _answers(broker), "Redis answers")
        environment = {**os.environ, "TEST_POSTGRES_URL": database, "TEST_REDIS_URL": broker}
        return subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
