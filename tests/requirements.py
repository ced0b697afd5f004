"""Names the system packages that the tests need and this machine lacks: `python -m tests.requirements`."""

import shutil
import sys
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PLACES = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/bin"  # servers are not on everybody's PATH


def find_chromium() -> str | None:
    """The browser that the browser tests drive."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def find_nginx() -> str | None:
    """The proxy of the compose file."""
    return shutil.which("nginx") or shutil.which("nginx", path=PLACES)


def find_redis() -> str | None:
    """A Redis or Valkey with TLS and Sentinel, which the embedded one has not."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def find_initdb() -> str | None:
    """What makes a PostgreSQL server of the tests' own."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return shutil.which("initdb") or (str(debian[-1]) if debian else None)


def find_openssl() -> str | None:
    """What makes certificates."""
    return shutil.which("openssl")


# (what it is, how to find it, its package in Debian and Ubuntu, in Fedora, in Homebrew)
PROGRAMS = [
    ("Chromium, for the browser tests", find_chromium, "chromium", "chromium", "chromium"),
    ("nginx, for the proxy of docker-compose.yml", find_nginx, "nginx-light", "nginx", "nginx"),
    ("a Redis with TLS and Sentinel", find_redis, "redis-server", "valkey", "valkey"),
    ("PostgreSQL, for the fleet", find_initdb, "postgresql", "postgresql-server", "postgresql"),
    ("openssl, for certificates", find_openssl, "openssl", "openssl", "openssl"),
]
INDISPENSABLE = {find_chromium}  # without the others, tests that need them are skipped, and say so


def main() -> int:
    """0 when nothing indispensable is missing. With --debian it prints the missing packages' names and nothing else."""
    missing = [row for row in PROGRAMS if not row[1]()]
    if "--debian" in sys.argv:
        sys.stdout.write(" ".join(row[2] for row in missing))
        return 0
    for what, find, debian, fedora, brew in missing:
        outcome = "" if find in INDISPENSABLE else " Tests of it are skipped."
        sys.stderr.write(f"The tests need {what}, which is not on the PATH.{outcome}\n")
        sys.stderr.write(f"  Debian, Ubuntu: apt-get install {debian}     Fedora: dnf install {fedora}")
        sys.stderr.write(f"     macOS: brew install {brew}\n")
    return 1 if INDISPENSABLE & {row[1] for row in missing} else 0


if __name__ == "__main__":
    sys.exit(main())
