"""What the demo asks to be drawn: always the same for the same seed, and for fewer pictures the beginning of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from accounts.models import Team, User
from generator.demo.people import Cast
from generator.formats import FORMATS
from generator.models import StylePreset

# Of the starter's 983 things, some that it draws well (docs/starter.md).
_WORDS = """
a red apple, a rocket, a strawberry, a birthday cake, a sunflower, a pizza, a crown, a watermelon, a shortcake,
a hamburger, a doughnut, a tulip, a guitar, a lemon, a house, a balloon, a wrapped gift, an ice cream, a
mushroom, a laptop, a camera, a panda, a backpack, a candle, a pineapple, a cocktail glass, a bouquet, a
headphone, a castle, a running shoe, a handbag, a light bulb, a basketball, a tropical fish, a honeybee, a gem
stone, a lipstick, a bicycle, an automobile, a helicopter, a maple leaf, a cherry blossom, a palm tree, a
cookie, a popcorn, a bell, an artist palette, a top hat, an octopus, a polar bear, a frog, a dolphin, a lady
beetle, a banana, a pear
"""
SUBJECTS = [" ".join(word.split()) for word in _WORDS.split(",")]
BACKGROUNDS = [
    "",
    *(
        f" on a {colour} background"
        for colour in (
            "navy blue",
            "pink",
            "mint green",
            "yellow",
            "white",
            "sky blue",
            "lavender",
            "orange",
            "teal",
            "beige",
        )
    ),
]
# The starter was trained on squares; the further from one, the less it knows what to do.
CHANNELS = ["square"] * 8 + ["portrait"] * 2 + ["landscape", "story", "banner"]
COUNTS = [2, 2, 4, 4, 8]
DAYS = 35


@dataclass(frozen=True)
class Wish:
    """One request: who asks for what, and how long ago."""

    team: Team
    maker: User
    prompt: str
    style: StylePreset | None
    format: str
    count: int
    seed: int
    ago: timedelta


def wishes(cast: Cast, pictures: int, seed: int, styles: list[StylePreset]) -> Iterator[Wish]:
    """Requests for `pictures` pictures altogether, one in eight of them in the second team."""
    dice = random.Random(seed)
    assert set(CHANNELS) <= set(FORMATS)
    while pictures > 0:
        team = cast.other if dice.random() < 0.125 else cast.team
        style = dice.choice([None, None, *styles])
        subject, background, count = dice.choice(SUBJECTS), dice.choice(BACKGROUNDS), dice.choice(COUNTS)
        if style and "background" in style.template:
            background = ""  # such a style names one already
        wish = Wish(
            team=team,
            maker=dice.choice(cast.makers(team)),
            prompt=(subject if style else f"3d render of {subject}") + background,
            style=style,
            format=dice.choice(CHANNELS),
            count=min(count, pictures),
            seed=dice.randrange(2**32 - 8),
            ago=timedelta(days=DAYS * dice.random() ** 2, seconds=60),
        )
        pictures -= wish.count
        yield wish
