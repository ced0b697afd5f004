"""Names the system packages that the tests need and this machine lacks: `python -m tests.requirements`."""

import shutil
import sys

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The browser that the browser tests drive."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def main() -> int:
    """0 when nothing is missing."""
    if find_chromium():
        return 0
    sys.stderr.write(
        "The browser tests need Chromium, which is not on the PATH.\n"
        "  Debian, Ubuntu: apt-get install chromium     Fedora: dnf install chromium     macOS: brew install chromium\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
