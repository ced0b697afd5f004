"""What training pictures of the starter show: things on a ground, with the words for it. stage.py paints them.

Things, styles, grounds, places, sizes, company and colours are combined by chance, so that words combine too instead of
whole pictures being learned by heart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from generator.diffusion.starter.recipe import captions, compose
from generator.diffusion.starter.recipe.art import Art

# Shares of the scenes: a small thing in a named corner, two beside each other, one in another colour than its own.
PLACED, PAIRS, RECOLOURED = 0.08, 0.10, 0.08
# Those that say nothing of their ground, which then is plain.
UNSAID = 0.08
# From here on a hue is another colour.
MIN_HUE_CHANGE = 50
# The size at which a picture tells what colour it has.
LOOK = (32, 32)
# Names of more words leave no room for a second one within the text encoder's tokens.
MAX_WORDS_IN_PAIR = 3
SMALL, SMALL_SPREAD = (0.35, 0.45), 0.02
BESIDE, BESIDE_SPREAD, BESIDE_PLACES = (0.42, 0.48), 0.03, ((0.27, 0.5), (0.73, 0.5))


@dataclass(frozen=True)
class Cutout:
    """A picture to lay on a ground (RGBA); `thing` is what to call it, colour included."""

    piece: Art
    thing: str
    picture: Image.Image


@dataclass(frozen=True)
class Laid:
    """Where a cutout (its number) is laid: middle across and down and how far from it at most, share of the side at
    least and at most; all 0..1."""

    cutout: int
    middle: tuple[float, float]
    spread: tuple[float, float]
    share: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """One or two things on a ground, with their caption."""

    laid: tuple[Laid, ...]
    background: str
    caption: str


@dataclass(frozen=True)
class Set:
    """All there is to make scenes of: the pieces in their own colours first, piece by piece, then in others.

    recoloured: the numbers of the other colours of each piece.
    """

    cutouts: tuple[Cutout, ...]
    recoloured: tuple[tuple[int, ...], ...]

    @property
    def pieces(self) -> tuple[Cutout, ...]:
        return self.cutouts[: len(self.recoloured)]


def collect(pieces: Sequence[Art], size: int, *, recolour: bool = True) -> Set:
    """Every piece at `size` pixels, in its own colours and, where it has one of its own and if so wished, in others."""
    with ThreadPoolExecutor() as threads:
        own = list(threads.map(lambda piece: _cut(piece, size), pieces))
        coloured = list(threads.map(lambda cutout: list(_turned(cutout)) if recolour else [], own))
    others: list[Cutout] = []
    recoloured = []
    for turned in coloured:
        recoloured.append(tuple(range(len(own) + len(others), len(own) + len(others) + len(turned))))
        others += turned
    return Set((*own, *others), tuple(recoloured))


def draw(everything: Set, each: int, rng: random.Random) -> Iterator[Scene]:
    """`each` scenes of every piece, on grounds that it is trained on."""
    for number in range(len(everything.pieces)):
        for _ in range(each):
            yield _draw(everything, number, rng)


def draw_unseen(everything: Set, count: int, rng: random.Random) -> Iterator[Scene]:
    """`count` scenes of things alone on grounds that they are never trained on, for validation."""
    for number in rng.choices(range(len(everything.pieces)), k=count):
        piece = everything.pieces[number].piece
        background = rng.choice(captions.unseen_backgrounds(piece.label))
        yield Scene((alone(number),), background, captions.caption(piece.label, piece.style, background, rng))


def _draw(everything: Set, number: int, rng: random.Random) -> Scene:
    piece = everything.pieces[number].piece
    background = rng.choice(captions.trained_backgrounds(piece.label))
    kind = rng.random()
    if kind < PLACED:
        place = rng.choice(sorted(captions.PLACES))
        text = f"{rng.choice(captions.PHRASES[piece.style][:2]).format(f'a small {piece.label}')} {place}"
        laid = Laid(number, captions.PLACES[place], (SMALL_SPREAD, SMALL_SPREAD), SMALL)
        return Scene((laid,), background, f"{text} {captions.on(background)}")
    if kind < PLACED + PAIRS:
        pair = _pair(everything, number, background, rng)
        if pair is not None:
            return pair
    if PLACED + PAIRS < kind < PLACED + PAIRS + RECOLOURED and everything.recoloured[number]:
        turned = rng.choice(everything.recoloured[number])
        thing = everything.cutouts[turned].thing
        return Scene((alone(turned),), background, captions.caption(thing, piece.style, background, rng))
    thing = rng.choice((*piece.synonyms, piece.label)) if rng.random() < captions.SYNONYM_SHARE else piece.label
    said = background
    if rng.random() < UNSAID and captions.PLAIN_BACKGROUND in captions.trained_backgrounds(piece.label):
        background, said = captions.PLAIN_BACKGROUND, ""
    return Scene((alone(number),), background, captions.caption(thing, piece.style, said, rng))


def _pair(everything: Set, number: int, background: str, rng: random.Random) -> Scene | None:
    """The thing beside another of its style that is trained on this ground; None where chance finds no fitting one."""
    piece = everything.pieces[number].piece
    for _ in range(8):
        other = rng.randrange(len(everything.pieces))
        beside = everything.pieces[other].piece
        names = [piece.label, beside.label]
        if (
            beside.style == piece.style
            and beside.label != piece.label
            and background in captions.trained_backgrounds(beside.label)
            and max(len(name.split()) for name in names) <= MAX_WORDS_IN_PAIR
        ):
            left, right = (captions.with_article(name) for name in names)
            text = captions.PHRASES[piece.style][0].format(f"{left} and {right} side by side")
            laid = tuple(
                Laid(which, middle, (0.0, BESIDE_SPREAD), BESIDE)
                for which, middle in zip((number, other), BESIDE_PLACES, strict=True)
            )
            return Scene(laid, background, f"{text} {captions.on(background)}")
    return None


def alone(number: int) -> Laid:
    """A cutout in the middle."""
    return Laid(number, (0.5, 0.5), (compose.ALONE_SPREAD, compose.ALONE_SPREAD), compose.ALONE)


def _cut(piece: Art, size: int) -> Cutout:
    picture = piece.open().convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")
    return Cutout(piece, piece.label, picture)


def _turned(cutout: Cutout) -> Iterator[Cutout]:
    own = compose.find_hue(cutout.picture.resize(LOOK))
    # A “blue red apple” would teach nobody anything.
    if own is None or not captions.HUES.keys().isdisjoint(cutout.piece.label.split()):
        return
    for name, degrees in captions.HUES.items():
        if abs((degrees - own + 180) % 360 - 180) > MIN_HUE_CHANGE:
            yield Cutout(cutout.piece, f"{name} {cutout.thing}", compose.turn_hue(cutout.picture, degrees - own))
