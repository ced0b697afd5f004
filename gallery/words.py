"""What a picture is found by, cut into plain words, and what people type, cut in the same way. Pure.

Text searches of databases disagree: "foo.bar" is one word to PostgreSQL's parser and two to SQLite's, "ø" is an "o" to
unaccent and none to unicode61, and a database in the C locale knows no letters beyond ASCII. So the cutting and folding
is done here, once, and both are given words that nothing is left to be done about (docs/decisions/0007-search.md).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 40  # letters that a word is known by
MOST = 1000  # words of a text
_WORD = re.compile(r"[^\W_]+")
# Letters with a stroke or joined ones: Unicode takes them for letters of their own, people do not type them.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)


def cut(text: str) -> list[str]:
    """Its runs of letters and digits in order, without case and accents (Unicode's compatibility caseless matching)."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(_PLAIN)
    return [word[:LONGEST] for word in _WORD.findall(bare)[:MOST]]


def mark(kind: str, value: str) -> str:
    """A word that no text has, for what a picture may have several of: "=colour=red". Exact, but for case."""
    return f"={kind}=" + "".join(c if c.isalnum() else f"={ord(c):x}=" for c in value.casefold() if c != "\0")


@dataclass(frozen=True)
class Words:
    """All that one picture is found by, as each database keeps it."""

    title: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def as_vector(self) -> str:
        """A literal of PostgreSQL's tsvector: the title weighs most (A), then tags (B), then the prompt (D)."""
        places: dict[str, list[str]] = {mark: [] for mark in self.marks}
        spoken = [
            (word, weight) for part, weight in ((self.title, "A"), (self.tags, "B"), (self.prompt, "")) for word in part
        ]
        for place, (word, weight) in enumerate(spoken, 1):
            places.setdefault(word, []).append(f"{place}{weight}")
        return " ".join(f"'{word}'" + (f":{','.join(where[:200])}" if where else "") for word, where in places.items())

    def as_line(self) -> str:
        """The same as plain words for FTS5 and `Wanted.rank`, which weigh by how often a word is there."""
        return " ".join([*self.title * 3, *self.tags * 2, *self.prompt, *self.marks])


@dataclass(frozen=True)
class Wanted:
    """What must all be there: words, of which the beginning is enough, and marks."""

    words: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, marks: Iterable[str] = ()) -> "Wanted":
        """What somebody typed, and marks."""
        return cls(tuple(dict.fromkeys(cut(text))), tuple(marks))

    def __bool__(self) -> bool:
        return bool(self.words or self.marks)

    def as_tsquery(self) -> str:
        """A literal of PostgreSQL's tsquery."""
        return " & ".join([*(f"'{word}':*" for word in self.words), *(f"'{mark}'" for mark in self.marks)])

    def rank(self, line: str) -> float:
        """How well a line of words (Words.as_line) matches: the more often a sought word is there the better, each time
        less so, as in Okapi BM25 (Robertson and Zaragoza 2009, equation 3.15, k1 = 1.2, without the length)."""
        there = line.split(" ")
        counts = (sum(word.startswith(sought) for word in there) for sought in self.words)
        return sum(count / (count + 1.2) for count in counts)

    def as_match(self) -> str:
        """What FTS5 is asked."""
        return " AND ".join([*(f'"{word}" *' for word in self.words), *(f'"{mark}"' for mark in self.marks)])


def highlight(text: str, wanted: Wanted) -> list[tuple[str, bool]]:
    """`text` in pieces, each with whether it is a word that was looked for."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    # Accents may be letters of their own that follow: they belong to the word for the eye.
    for found in re.finditer(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*", text):
        folded = cut(found[0])
        if any(word.startswith(sought) for word in folded for sought in wanted.words):
            pieces += [(text[at : found.start()], False)] if found.start() > at else []
            pieces.append((found[0], True))
            at = found.end()
    return [*pieces, (text[at:], False)] if at < len(text) else pieces


def snippet(texts: Iterable[str], wanted: Wanted, around: int = 48) -> list[tuple[str, bool]]:
    """The first of `texts` that has a sought word, from a little before it; nothing where none has one."""
    for text in texts:
        pieces = highlight(text, wanted) if wanted.words else []
        at = next((number for number, (_piece, is_match) in enumerate(pieces) if is_match), None)
        if at is None:
            continue
        before = pieces[at - 1][0] if at else ""
        if len(before) > around:
            before = "…" + before[-around:].partition(" ")[2]
        return [*([(before, False)] if before else []), *pieces[at:]]
    return []
