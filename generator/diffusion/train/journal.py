"""What a training run tells: JSON lines, sample sheets, and TensorBoard where wanted."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from generator.diffusion.spec import SpecError

LOG = "log.jsonl"


class Journal:
    """Writes into `folder`: log.jsonl, samples/*.png and TensorBoard events. Only the main process does."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = False, main: bool = True) -> None:
        self._folder = folder
        self._main = main
        self._board: Any = None
        if not main:
            return
        folder.mkdir(parents=True, exist_ok=True)
        _forget_after(folder / LOG, step)
        if tensorboard:
            self._board = _open_board(folder)

    def write(self, step: int, **figures: float) -> None:
        """One JSON line: step, time (seconds since the epoch), and the figures."""
        if not self._main:
            return
        with (self._folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "time": round(time.time(), 1), **figures}) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)

    def draw(self, step: int, pictures: Sequence[Image.Image]) -> None:
        """A sheet of `pictures` (RGB, of one size) as samples/step-NNNNNNNN.png."""
        sheet = make_sheet(pictures)
        target = self._folder / "samples" / f"step-{step:08d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(target)

    def close(self) -> None:
        """Writes out what TensorBoard still holds back."""
        if self._board is not None:
            self._board.close()


def make_sheet(pictures: Sequence[Image.Image], columns: int | None = None) -> Image.Image:
    """RGB pictures of one size side by side, `columns` a row (default: about as many as rows)."""
    width, height = pictures[0].size
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    sheet = Image.new("RGB", (columns * width, math.ceil(len(pictures) / columns) * height))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % columns * width, number // columns * height))
    return sheet


def _forget_after(log: Path, step: int) -> None:
    """Drops lines later than `step`: a killed run told of steps that its resumed self makes again."""
    if not log.is_file():
        return
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError):
            continue  # the line that a kill cut short
    log.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _open_board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise SpecError("TensorBoard is not installed. Install it with: pip install tensorboard") from None
    return SummaryWriter(str(folder / "tensorboard"))
