r"""Prompts with choices: `{red|blue} shoe on {a beach|snow}` stands for its four combinations.

`\{`, `\}`, `\|`, `\_` and `\\` stand for the signs themselves. Outside of braces | is an ordinary sign. Choices do not
nest.

Where lists of words are given, `__colour__` stands for one word of the list "colour", drawn anew for each prompt; among
choices, as in `{__colour__}`, for each of its words.
"""

import random
import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from django.utils.translation import gettext as _

from generator.models.words import NAME

MOST = 500  # prompts in a batch
SPECIAL = "{}|\\_"
WILDCARD = re.compile(rf"__({NAME})__")

Lists = Mapping[str, Sequence[str]]  # words by the name of their list
Part = list[str]  # its choices; plain words are a part with one


class Draw(list[str]):
    """A part of which each prompt gets one word, by chance."""


class MatrixError(ValueError):
    """The text has no meaning as a matrix. `position` counts signs from 1; the message names it."""

    def __init__(self, message: str, position: int = 0) -> None:
        """Puts the place before what is wrong there."""
        self.position = position
        where = _("At sign %(n)d: ") % {"n": position} if position else ""
        super().__init__(f"{where}{message}")


def count(text: str, lists: Lists | None = None) -> int:
    """How many prompts `text` stands for, without making them. Raises MatrixError."""
    return prod(1 if isinstance(part, Draw) else len(part) for part in _parts(text, lists))


def expand(text: str, lists: Lists | None = None, chance: random.Random | None = None) -> list[str]:
    """All prompts that `text` stands for, the last choice varying fastest. MatrixError also for more than MOST.

    Without `lists`, `__name__` is an ordinary word. `chance` draws from them: the same one, seeded alike, draws alike.
    """
    parts = _parts(text, lists)
    chance = chance or random.Random()
    total = prod(1 if isinstance(part, Draw) else len(part) for part in parts)
    if total > MOST:
        raise MatrixError(
            _("This stands for %(n)d prompts; a batch has at most %(most)d. Take some choices out.")
            % {"n": total, "most": MOST}
        )
    each = product(*(part[:1] if isinstance(part, Draw) else part for part in parts))
    return ["".join(_drawn(parts, chosen, chance)) for chosen in each]


def wildcards(text: str) -> set[str]:
    """The names of the lists that `text` may draw from."""
    return set(WILDCARD.findall(text))


def _drawn(parts: list[Part], chosen: Sequence[str], chance: random.Random) -> list[str]:
    return [chance.choice(part) if isinstance(part, Draw) else word for part, word in zip(parts, chosen, strict=True)]


def escape(prompt: str) -> str:
    """The text that stands for exactly this prompt."""
    return re.sub(rf"[{{}}]|\\(?=[{{}}|\\_])|_(?=_{NAME}__)", lambda found: f"\\{found[0]}", prompt)


def _parts(text: str, lists: Lists | None) -> list[Part]:
    parts: list[Part] = []
    words = ""
    place = 0
    while place < len(text):
        sign = text[place]
        if sign == "{":
            choices, place = _choices(text, place, lists)
            parts += [[words], choices]
            words = ""
        elif found := _wildcard(text, place, lists):
            parts += [[words], Draw(found)]
            words, place = "", _behind(text, place)
        elif sign == "}":
            raise MatrixError(_("there is a } without a { before it. Write \\} for the sign itself."), place + 1)
        else:
            letter, place = _letter(text, place)
            words += letter
    return [*parts, [words]]


def _choices(text: str, start: int, lists: Lists | None) -> tuple[Part, int]:
    """The choices of the brace at `start`, and the place behind its end. A list stands for each of its words."""
    choices: Part = []
    words, place = [""], start + 1
    begun = place
    while place < len(text):
        sign = text[place]
        if sign in "|}":
            if not words[0].strip():
                raise MatrixError(_("a choice is empty. Write something, or take the | away."), begun + 1)
            choices += [one.strip() for one in words]
            words, place = [""], place + 1
            begun = place
            if sign == "}":
                return choices, place
        elif sign == "{":
            raise MatrixError(_("there are choices within choices, which is not possible."), place + 1)
        elif found := _wildcard(text, place, lists):
            if len(words) * len(found) > MOST:
                raise MatrixError(_("this stands for too many words. Draw from one list in each choice."), place + 1)
            words = [before + word for before in words for word in found]
            place = _behind(text, place)
        else:
            letter, place = _letter(text, place)
            words = [before + letter for before in words]
    raise MatrixError(_("this { has no } after it. Write \\{ for the sign itself."), start + 1)


def _wildcard(text: str, place: int, lists: Lists | None) -> Sequence[str] | None:
    """The words of the list that is named at `place`; None where none is."""
    found = WILDCARD.match(text, place) if lists is not None else None
    if found is None or lists is None:
        return None
    if not lists.get(found[1]):
        known = ", ".join(f"__{name}__" for name in sorted(lists)) or "–"
        raise MatrixError(
            _("there is no word list “%(name)s”. Your team has: %(known)s. Write \\_ for the sign itself.")
            % {"name": found[1], "known": known},
            place + 1,
        )
    return lists[found[1]]


def _behind(text: str, place: int) -> int:
    found = WILDCARD.match(text, place)
    return found.end() if found else place


def _letter(text: str, place: int) -> tuple[str, int]:
    """The sign at `place` with its escape taken off, and the place behind it."""
    following = text[place + 1 : place + 2]
    if text[place] == "\\" and following and following in SPECIAL:
        return following, place + 2
    return text[place], place + 1
