"""What lies in a zip beside the pictures: where each came from, and under which terms. As JSON and as a table."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

COLUMNS = ("file", "title", "channel", "width", "height", "format", "quality", "bytes", "sha256", "review")
COLUMNS += ("is_draft", "enlarged", "maker", "licence", "attribution", "model", "seed", "prompt", "media")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(about: dict[str, Any], entries: Iterable[dict[str, Any]]) -> str:
    """All that is known, the whole recipes included."""
    return json.dumps({**about, "files": list(entries)}, ensure_ascii=False, indent=1, default=str)


def as_csv(entries: Iterable[dict[str, Any]]) -> str:
    """One line a file, for a spreadsheet: nothing in it starts as a formula would."""
    buffer = io.StringIO()
    buffer.write("\ufeff")  # without it, spreadsheets read UTF-8 as something else
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(entry.get(column)) for column in COLUMNS])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
