"""A table of prompts, as people save it from a spreadsheet: CSV, its delimiter found by itself."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from generator.batches.matrix import MOST

MOST_BYTES = 1024 * 1024
DELIMITERS = ";,\t"
COLUMNS = ("prompt", "negative_prompt", "style", "format", "count", "steps", "guidance", "seed", "model", "title")
LONGEST_CELL = 8000  # signs; longer ones are a file of another kind


@dataclass(frozen=True)
class Problem:
    """What is wrong with one line of the file; 0 for the file as a whole."""

    line: int
    reason: str


@dataclass(frozen=True)
class Row:
    """One line of the table: what its cells say, empty ones left out."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """The rows of a file, and every problem that was found in it."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def decode(data: bytes) -> str:
    """The text of a file. ValueError with a sentence when it is too large or not UTF-8."""
    if len(data) > MOST_BYTES:
        raise ValueError(_("The file is larger than 1 MB."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            _("Line %(line)d is not written in UTF-8. Save the file as “CSV UTF-8” and choose it again.")
            % {"line": line}
        ) from error


def read(text: str) -> Table:
    """All rows of a CSV text with a head, in their order; what cannot be used is a problem with its line."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        return _unreadable(text.count("\n", 0, text.index("\0")) + 1, _("There is a sign here that no text has."))
    lines = _lines(text)
    try:
        first, head = next(lines, (0, []))
        names = [_column(cell) for cell in head]
        if "prompt" not in names:
            return _unreadable(first, _("The first line must name the columns, and one of them must be “prompt”."))
        problems = _of_head(first, head, names)
        return Table(problems=problems) if problems else _rows(names, lines)
    except csv.Error as error:
        return _unreadable(0, _("This is not a CSV file: %(error)s.") % {"error": error})


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, cells) of every row that is not blank; a quoted cell may go over several lines."""
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _column(cell: str) -> str:
    return cell.strip().casefold().replace(" ", "_").replace("-", "_")


def _of_head(line: int, head: list[str], names: list[str]) -> list[Problem]:
    problems = []
    for number, (cell, name) in enumerate(zip(head, names, strict=True)):
        if name and name not in COLUMNS:
            reason = _("There is no column “%(name)s”. Known are: %(known)s.")
            problems.append(Problem(line, reason % {"name": cell.strip(), "known": ", ".join(COLUMNS)}))
        elif name and name in names[:number]:
            problems.append(Problem(line, _("The column “%(name)s” is there twice.") % {"name": cell.strip()}))
    return problems


def _rows(names: list[str], lines: Iterator[tuple[int, list[str]]]) -> Table:
    table = Table()
    for line, cells in lines:
        if reason := _wrong(names, cells):
            table.problems.append(Problem(line, reason))
            continue
        filled = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
        table.rows.append(Row(line, filled))
    if len(table.rows) > MOST:
        reason = _("The file has %(n)d prompts; a batch has at most %(most)d.")
        table.problems.append(Problem(0, reason % {"n": len(table.rows), "most": MOST}))
    elif not table.rows and not table.problems:
        table.problems.append(Problem(0, _("There is no prompt in this file.")))
    return table


def _wrong(names: list[str], cells: list[str]) -> str:
    """Why a row cannot be used, "" when it can."""
    beyond = [cell for cell, name in zip(cells, [*names, *[""] * len(cells)], strict=False) if not name]
    if any(cell.strip() for cell in beyond):
        return _("There are more cells than columns. Put a prompt that has the separator in it in quotes.")
    if any(len(cell) > LONGEST_CELL for cell in cells):
        return _("A cell has more than %(n)d signs. Is a quotation mark open?") % {"n": LONGEST_CELL}
    if not any(cell.strip() for cell, name in zip(cells, names, strict=False) if name == "prompt"):
        return _("The prompt is missing.")
    return ""


def _unreadable(line: int, reason: str) -> Table:
    return Table(problems=[Problem(line, reason)])
