"""What the starter is, suits and allows, for whoever offers it to people. Imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

_HERE = Path(__file__).parent


class Card(TypedDict):
    """The starter in facts; MODEL_CARD.md tells the same at length."""

    name: str
    description: str
    native_size: int  # edge of the square it was trained on, in pixels
    steps: int
    guidance: float
    scheduler: str
    schedulers: list[str]  # those that suit it
    suggestions: list[str]  # prompts that come out well
    licence: str  # SPDX identifier
    licence_url: str
    commercial_use: bool
    attribution: str


def read_card() -> Card:
    """The starter's card."""
    card: Card = json.loads((_HERE / "card.json").read_text(encoding="utf-8"))
    return card


def read_concepts() -> list[str]:
    """The things the starter has learned to draw, by name."""
    concepts: list[str] = json.loads((_HERE / "concepts.json").read_text(encoding="utf-8"))
    return concepts
