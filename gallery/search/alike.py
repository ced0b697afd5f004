"""What is like a text or like a picture, as a worker says it: asked for, waited for a moment, kept for some minutes.

The candidates are of the whole installation. They are never shown: `Search.narrow` and the grounds choose among them
what the viewer may see, as they do with every filter.
"""

import time
from hashlib import sha256
from uuid import UUID

from django.core.cache import cache

from accounts.models import User
from gallery import services
from gallery.models import Media
from gallery.search.form import Search
from gallery.words import cut

WAITS = 1.0  # seconds that a page waits for a worker
LOOKS = 0.02
KEY = "meaning"
AWAY_SECONDS = 10  # after a wait in vain, pages only look: else, without a worker, each would stand for a second


def ask(search: Search, viewer: User) -> bool:
    """Has `search` go by meaning, if it is to and a worker answers; whether it does not though it was to."""
    if not search.asks_for_meaning:
        return False
    like = search.cleaned_data["like"]
    if like and not Media.objects.visible_to(viewer).filter(pk=like).exists():
        search.likeness = {}  # what one may not see is like nothing
        return False
    found = alike(media=like) if like else alike(text=search.cleaned_data["q"])
    search.likeness = {} if like and found is None else found  # there are no words to go by instead
    return found is None


def alike(*, text: str = "", media: UUID | None = None) -> dict[UUID, float] | None:
    """Likeness by id; None when no worker said anything in time."""
    key = f"{KEY}:{media or sha256(' '.join(cut(text)).encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        if cache.add(f"{key}:asked", 1, AWAY_SECONDS):
            services.ask_alike(key, text=text, media=media)
        found = _wait(key)
    return None if found is None else dict(found)


def _wait(key: str) -> list[tuple[UUID, float]] | None:
    if cache.get(services.NO_READER):
        return None
    until = time.monotonic() + WAITS
    while time.monotonic() < until:
        time.sleep(LOOKS)
        if (found := cache.get(key)) is not None:
            return found
    cache.set(services.NO_READER, 1, AWAY_SECONDS)
    return None
