"""What went wrong, in a sentence for the person at the terminal, and the status that the program ends with."""

from collections.abc import Sequence
from typing import Any

REFUSED = 1  # the studio said no, or the job failed
USAGE = 2  # as typer has it
NO_KEY = 3
UNREACHABLE = 4
INTERRUPTED = 130

_STATUSES = {401: NO_KEY, 403: NO_KEY}


class Told(Exception):  # noqa: N818 (a foreseeable end, no malfunction)
    """Ends the program with a sentence instead of a traceback."""

    def __init__(self, sentence: str, status: int = REFUSED) -> None:
        super().__init__(sentence)
        self.status = status


class Problem(Told):
    """The studio's own answer (RFC 9457): `code` is HTTP's, `errors` are [{path, message}] of a malformed request."""

    def __init__(self, code: int, body: dict[str, Any]) -> None:
        status = UNREACHABLE if code >= 500 else _STATUSES.get(code, REFUSED)
        super().__init__(str(body.get("detail") or body.get("title") or f"The studio answered with {code}."), status)
        self.code = code
        self.errors: list[dict[str, str]] = body.get("errors") or []

    def in_words(self, names: dict[str, str], lines: Sequence[int] = ()) -> Told:
        """The same with each path by the caller's name for it (`names`: {"count": "--count"}); for a table by its line.

        `lines` are those of the table that the requests of a batch came from.
        """
        if not self.errors:
            return self
        told = (f"{_named(one['path'], names, lines)}: {one['message']}" for one in self.errors)
        return Told("\n".join(told), USAGE)


def _named(path: str, names: dict[str, str], lines: Sequence[int]) -> str:
    """body.aspect.0 -> --size; body.generations.4.style -> line 6, style."""
    parts = path.removeprefix("body.").split(".")
    if len(parts) > 1 and parts[0] == "generations" and parts[1].isdecimal() and int(parts[1]) < len(lines):
        return ", ".join([f"line {lines[int(parts[1])]}", *(names.get(part, part) for part in parts[2:3])])
    return names.get(parts[0], path)
