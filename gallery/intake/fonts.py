"""A file that may be a typeface: `python -m gallery.intake.fonts FILE` draws with it, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gallery.intake.apart import ROOT
from gallery.intake.limits import limit
from gallery.intake.unfit import Unfit

EXTENSIONS = {b"\x00\x01\x00\x00": "ttf", b"true": "ttf", b"OTTO": "otf", b"wOF2": "woff2"}
SECONDS = 10
MEMORY = 1024**3


def check_font(path: Path) -> tuple[str, str]:
    """(its name, its extension) of a file that letters can be drawn with; Unfit for any other."""
    with path.open("rb") as file:
        extension = EXTENSIONS.get(file.read(4))
    if extension is None:
        raise Unfit("no-font")
    command = [sys.executable, "-m", "gallery.intake.fonts", str(path)]
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=SECONDS * 2, check=False)
        name = str(json.loads(ended.stdout)["name"])
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise Unfit("no-font") from error
    return name, extension


def main() -> int:
    """Prints {"name"}. Whatever is wrong with the file ends this process, and no other."""
    limit(seconds=SECONDS, memory=MEMORY)
    font = ImageFont.truetype(sys.argv[1], 40)
    ImageDraw.Draw(Image.new("L", (400, 80))).text((0, 0), "Hamburgefonstiv 0123", font=font, fill=255)
    family, style = font.getname()
    print(json.dumps({"name": f"{family or ''} {style or ''}".strip()}))  # noqa: T201 (a command's answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
