"""The rows of a CSV file, as people save it from a spreadsheet, as requests of a batch. The studio checks the rest."""

import csv
import io
from pathlib import Path
from typing import Any

from atelier_cli.told import USAGE, Told

DELIMITERS = ";,\t"
NUMBERS = {"count": int, "steps": int, "seed": int, "guidance": float}
COLUMNS = ("prompt", "negative_prompt", "style", "format", *NUMBERS, "model", "title")
OURS = {"model": "checkpoint"}


def read(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(line, request) of every row that is not blank; empty cells are left out. Told with the line of a mistake."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Told(f"{path} cannot be read: {error.strerror}.", USAGE) from error
    except UnicodeDecodeError as error:
        raise Told(f"{path} is not written in UTF-8. Save it as “CSV UTF-8”.", USAGE) from error
    delimiter = max(DELIMITERS, key=text.lstrip("\r\n").partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    found, begins = [], 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = _head(path, line, cells)
            else:
                found.append((line, _request(path, line, names, cells)))
    except csv.Error as error:
        raise Told(f"{path}, line {begins}: {error}.", USAGE) from error
    if not found:
        raise Told(f"There is no prompt in {path}.", USAGE)
    return found


def _head(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip().casefold().replace(" ", "_").replace("-", "_") for cell in cells]
    known = f"Known are: {', '.join(COLUMNS)}."
    if "prompt" not in names:
        raise Told(f"{path}, line {line}: the columns must be named, and one must be “prompt”. {known}", USAGE)
    for name in names:
        if name and (name not in COLUMNS or names.count(name) > 1):
            why = "is there twice" if name in COLUMNS else "is not known"
            raise Told(f"{path}, line {line}: the column “{name}” {why}. {known}", USAGE)
    return names


def _request(path: Path, line: int, names: list[str], cells: list[str]) -> dict[str, Any]:
    if any(cell.strip() for cell in cells[len(names) :]):
        raise Told(f"{path}, line {line}: more cells than columns. Put text with a “,” or “;” in quotes.", USAGE)
    filled = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
    if "prompt" not in filled:
        raise Told(f"{path}, line {line}: the prompt is missing.", USAGE)
    return {OURS.get(name, name): _value(path, line, name, text) for name, text in filled.items()}


def _value(path: Path, line: int, name: str, text: str) -> Any:
    if name not in NUMBERS:
        return text
    try:
        return NUMBERS[name](text.replace(",", ".") if name == "guidance" else text)
    except ValueError as error:
        raise Told(f"{path}, line {line}: “{text}” is no number for {name}.", USAGE) from error
