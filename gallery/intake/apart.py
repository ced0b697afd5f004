"""Has a file read by a process of its own, which may take only so much memory and time, and may fall over."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from gallery.intake.unfit import Unfit

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 60
MEMORY = 3 * 1024**3  # address space: the libraries themselves take a third of a GB of it


@dataclass(frozen=True)
class Found:
    """What another process read: pixels, and facts about the file."""

    image: Image.Image
    kind: str
    notes: list[str]
    exif: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=dict)
    peak_kb: int = 0  # of memory, in that process


def read_apart(path: Path, name: str, *, seconds: int = SECONDS, memory: int = MEMORY) -> Found:
    """As gallery.intake.pictures.read, from afar. Unfit as there; "crash" when the process did not survive the file."""
    with tempfile.NamedTemporaryFile() as pixels:
        command = [sys.executable, "-m", "gallery.intake", str(path), pixels.name]
        wanted = json.dumps({"name": name, "seconds": seconds, "memory": memory})
        try:
            ended = subprocess.run(
                command, input=wanted.encode(), cwd=ROOT, capture_output=True, timeout=seconds * 2, check=False
            )
            answer = json.loads(ended.stdout)
        except subprocess.TimeoutExpired as error:
            raise Unfit("time") from error
        except ValueError as error:
            raise Unfit("crash", status=ended.returncode) from error
        if "error" in answer:
            raise Unfit(answer["error"], **answer["facts"])
        size = (int(answer["size"][0]), int(answer["size"][1]))
        image = Image.frombytes(answer["mode"], size, Path(pixels.name).read_bytes())
    facts = {key: answer[key] for key in ("kind", "notes", "exif", "history", "peak_kb")}
    return Found(image=image, **facts)
