"""Names of exported files: readable, safe on every system, never the same twice."""

import re
import unicodedata
from collections.abc import Mapping

TOKENS = ("team", "title", "channel", "date", "n", "seed", "id", "width", "height", "person", "model")
LONGEST = 100  # bytes of one part: with number and extension under what every file system takes
_TOKEN = re.compile(r"\{([a-z]+)\}")
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})


def unknown_tokens(pattern: str) -> list[str]:
    """What stands in braces and means nothing."""
    return [token for token in _TOKEN.findall(pattern) if token not in TOKENS]


class Namer:
    """Gives each file of one export its name. Remembers what it gave: case does not tell names apart everywhere."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.given: set[str] = set()

    def name(self, facts: Mapping[str, object], extension: str) -> str:
        """The path of one file: parts between "/" are folders."""
        filled = "/".join(self._fill(part, facts) for part in self.pattern.split("/"))
        parts = [safe for part in filled.split("/") if (safe := safe_part(part))]
        stem = "/".join(parts) or "picture"
        path, n = f"{stem}.{extension}", 1
        while path.casefold() in self.given:
            n += 1
            path = f"{stem}-{n}.{extension}"
        self.given.add(path.casefold())
        return path

    @staticmethod
    def _fill(part: str, facts: Mapping[str, object]) -> str:
        # What fills a token can open no folder of its own.
        return _TOKEN.sub(lambda match: str(facts.get(match[1], "")).replace("/", " "), part)


def safe_part(text: str) -> str:
    """Letters, digits, dots, hyphens and underscores, in any script; "" when nothing is left."""
    text = unicodedata.normalize("NFC", text)
    kept = "".join(char if char.isalnum() or char in "._-" else "-" for char in text)
    kept = re.sub(r"-{2,}", "-", kept).strip("-.")
    kept = kept.encode()[:LONGEST].decode(errors="ignore").strip("-.")
    return f"{kept}-" if kept.casefold().split(".")[0] in _RESERVED else kept
