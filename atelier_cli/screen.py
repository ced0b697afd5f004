"""What is shown: results on standard output, everything else beside them on standard error."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(words: object) -> str:
    """One line without signs that a terminal would obey: others wrote these words."""
    return "".join(sign if sign.isprintable() else " " for sign in str(words))


def say(sentence: str) -> None:
    """To the person; scripts do not read it."""
    err.print(Text("\n".join(plain(line) for line in sentence.splitlines())))


def result(line: object) -> None:
    """One line for whoever reads the output."""
    out.print(Text(plain(line)))


def as_json(value: Any) -> None:
    """The whole result as one JSON value."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def table(heads: list[str], rows: list[list[object]]) -> None:
    """Rows in columns; where no terminal reads, as lines with tabs, nothing cut off."""
    if not out.is_terminal:
        for row in rows:
            sys.stdout.write("\t".join(plain(cell) for cell in row) + "\n")
        return
    shown = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    out.print(shown)


def bar() -> Progress:
    """A bar with room for words: on terminals only."""
    words, left = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[left]}"))
    return Progress(
        words, BarColumn(), MofNCompleteColumn(), left, console=err, transient=True, disable=not err.is_terminal
    )


def duration(seconds: float) -> str:
    """About how long, as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
