"""Vectors of prompts, kept beside the pictures; and who asks for what is like a text or like a picture.

Whatever needs the model runs in a worker and is imported there only: the web process asks by the cache.
"""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from kombu.exceptions import OperationalError

from gallery.models import Media

if TYPE_CHECKING:
    from gallery.meaning.matrix import Matrix

log = logging.getLogger(__name__)

UNDERSTAND = "atelier.understand"  # tasks are sent by name, since they are built on services
ALIKE = "atelier.alike"
MOST = 500  # candidates: what of them somebody may see is chosen afterwards
LEAST = 0.25  # cosine: what has nothing to do with each other comes to 0.2 at most
BATCH = 500
LOOKED_AT = 5000  # pictures that are looked through for missing vectors, newest and further back, each time
KEPT_SECONDS = 300  # how long an answer is as good as a new one
NO_READER = "meaning:away"  # set when nobody answered in time, until somebody does
PLACE = "meaning:place"  # how far back the looking has come


def ask_to_understand(pks: Sequence[UUID]) -> None:
    """Has these pictures' prompts understood, once their rows are there. What gets lost is found later."""
    if not pks:
        return
    transaction.on_commit(partial(_send, UNDERSTAND, [[str(pk) for pk in pks]]), robust=True)


def ask_alike(key: str, *, text: str = "", media: UUID | None = None) -> None:
    """Has a worker put under `key` what is like a text or a picture."""
    _send(ALIKE, [key, text, str(media) if media else ""], expires=30)


def _send(task: str, args: list[Any], **options: Any) -> None:
    try:
        current_app.send_task(task, args, retry=False, **options)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; meaning has to wait", exc_info=True)


def answer_alike(*, key: str, text: str, media: UUID | None) -> None:
    """In a worker: [(id, cosine)] into the cache, under `key`. A picture that is not known yet is taken in first."""
    from gallery.meaning.encoder import encode

    vectors = matrix()
    if media is None:
        direction = encode([text])[0]
    else:
        understand(pks=[media])
        direction = vectors.of(media)  # None: deleted, or without a prompt
    near = [] if direction is None else vectors.nearest(direction, MOST, LEAST)
    cache.set(key, [(pk, score) for pk, score in near if pk != media], KEPT_SECONDS)
    cache.delete(NO_READER)


def understand(*, pks: Sequence[UUID]) -> int:
    """In a worker: keeps the vectors of these pictures' prompts. Returns how many are new."""
    return _take_in(matrix(), _prompted().filter(pk__in=pks))


def understand_missing(*, seconds: float) -> int:
    """In a worker: the same for those left out, among the newest and a stretch further back each time."""
    until, taken = monotonic() + seconds, 0
    newest = _prompted().order_by("-created", "-id")
    place = cache.get(PLACE)
    behind = newest.filter(Q(created__lt=place[0]) | Q(created=place[0], pk__lt=place[1])) if place else newest
    further = list(behind.values_list("created", "pk")[:LOOKED_AT])
    looked = [pk for _created, pk in newest.values_list("created", "pk")[:LOOKED_AT]] + [pk for _c, pk in further]
    vectors = matrix()
    known = vectors.has(looked)
    missing = [pk for pk in dict.fromkeys(looked) if pk not in known]
    for start in range(0, len(missing), BATCH):
        if monotonic() > until:
            return taken  # and from the same place next time
        taken += _take_in(vectors, _prompted().filter(pk__in=missing[start : start + BATCH]))
    cache.set(PLACE, further[-1] if len(further) == LOOKED_AT else None, None)
    return taken


def understand_all() -> Iterator[int]:
    """All vectors anew, without those of pictures that are gone; how many are done, after each batch."""
    with matrix().anew() as fresh:
        done, last = 0, None
        while True:
            after = _prompted().filter(pk__gt=last) if last else _prompted()
            ids = list(after.order_by("pk").values_list("pk", flat=True)[:BATCH])
            if not ids:
                break
            done, last = done + _take_in(fresh, _prompted().filter(pk__in=ids)), ids[-1]
            yield done


def matrix() -> "Matrix":
    """Where this installation keeps its vectors."""
    from gallery.meaning.matrix import Matrix

    return Matrix(Path(settings.ATELIER_HOME) / "meaning")


def _prompted() -> QuerySet[Media]:
    return Media.objects.kept().exclude(prompt="")


def _take_in(vectors: "Matrix", pictures: QuerySet[Media]) -> int:
    """Those without a vector; pictures of one job have one prompt, which is read once."""
    from gallery.meaning.encoder import encode

    prompts = dict(pictures.order_by().values_list("pk", "prompt"))
    for pk in vectors.has(list(prompts)):
        del prompts[pk]
    if not prompts:
        return 0
    texts = list(dict.fromkeys(prompts.values()))
    number = {text: row for row, text in enumerate(texts)}
    return vectors.add(list(prompts), encode(texts)[[number[text] for text in prompts.values()]])
