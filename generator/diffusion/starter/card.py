"""What people should know of the starter before they choose it. Imports no torch: the web process shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CARD = Path(__file__).with_name("card.json")


def read_card() -> dict[str, Any]:
    """name, native_size (pixels), steps, guidance, scheduler, licence, licence_url, attribution, suggestions (prompts)."""
    card: dict[str, Any] = json.loads(CARD.read_text())
    return card
