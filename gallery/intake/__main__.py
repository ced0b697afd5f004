"""`python -m gallery.intake FILE TARGET`: reads one file with the memory and the time that are given, nothing more.

Standard input: JSON {"name", "seconds", "memory"}. Standard output: JSON, either {"error", "facts"} or what was found;
TARGET then holds the pixels, row by row.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

from gallery.intake.history import read_history
from gallery.intake.limits import limit
from gallery.intake.pictures import read
from gallery.intake.unfit import Unfit


def main() -> int:
    """Exit status 0 whenever an answer was printed."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = json.load(sys.stdin)
    limit(seconds=wanted["seconds"], memory=wanted["memory"])
    json.dump(_answer(source, target, wanted["name"]), sys.stdout)
    return 0


def _answer(source: Path, target: Path, name: str) -> dict[str, Any]:
    try:
        found = read(source, name)
        target.write_bytes(found.image.tobytes())
    except Unfit as unfit:
        return {"error": unfit.code, "facts": unfit.facts}
    except MemoryError:
        return {"error": "memory", "facts": {}}
    history = read_history(found.text, found.exif.pop("user_comment", ""))
    return {
        "kind": found.kind,
        "mode": found.image.mode,
        "size": found.image.size,
        "notes": found.notes,
        "exif": found.exif,
        "history": history,
        "peak_kb": _peak_kb(),
    }


def _peak_kb() -> int:
    """Of this program alone: ru_maxrss begins with what the process held that started it."""
    with contextlib.suppress(OSError, StopIteration):  # elsewhere than on Linux
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
