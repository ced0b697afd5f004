"""What the models of a batch have learned from, as far as it is known here. Imports no torch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import QuerySet
from PIL import Image

from generator.diffusion.train import data, pdq
from generator.models import Adapter, Checkpoint, Generation, TrainingPicture


@dataclass(frozen=True)
class Origin:
    """One model or adapter that the pictures were made with. kind: "model", or the adapter's."""

    asset: Checkpoint | Adapter
    kind: str

    @property
    def pictures(self) -> QuerySet[TrainingPicture]:
        """What it has learned from, as far as that is known: removed ones too, since a model does not forget them."""
        learned = TrainingPicture.objects.filter(training=self.asset.training_id).exclude(learned=None)
        return learned.order_by("order", "added")

    @cached_property
    def count(self) -> int:
        """Of its training pictures; 0: nobody knows."""
        return self.pictures.count() if self.asset.training_id else 0

    @property
    def is_known(self) -> bool:
        """Whether what it has learned from can be compared with."""
        return bool(self.count)

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        names = ("name", "slug", "version", "weights_hash", "licence_name", "licence_url", "commercial_use")
        asset = self.asset
        return {"kind": self.kind, **{name: getattr(asset, name) for name in names}, "attribution": asset.attribution}


def origins_of(generations: Iterable[Generation]) -> list[Origin]:
    """The models and adapters of these requests, each once: models first."""
    checkpoints: dict[int, Checkpoint] = {}
    worn: dict[str, dict[str, Any]] = {}
    for one in generations:
        checkpoints[one.checkpoint_id] = one.checkpoint
        worn |= {entry["slug"]: entry for entry in one.adapters}
    there = Adapter.objects.in_bulk(worn, field_name="slug")
    adapters = [there.get(slug) or _deleted(entry) for slug, entry in worn.items()]
    return [*(Origin(one, "model") for one in checkpoints.values()), *(Origin(one, one.kind) for one in adapters)]


def _deleted(entry: dict[str, Any]) -> Adapter:
    """An adapter of which only the recipe's words are left, or a training's point that was worn without being taken."""
    known = {name: entry[name] for name in ("slug", "name", "kind") if name in entry}
    return Adapter(**known, weights_hash=entry.get("hash", ""), training_id=entry.get("training"))


def opener(picture: TrainingPicture) -> Callable[[], Image.Image | np.ndarray | None]:
    """How it is looked at: as it was learned from where that is kept, else its hash, else None."""
    copy = picture.training.folder / "pictures" / f"{picture.pk.hex}.png"

    def look() -> Image.Image | np.ndarray | None:
        try:
            if picture.training.is_scratch and copy.is_file():
                return data.open_rgb(copy, picture.name)
            if (content := _bytes_of(picture)) is not None:
                image = data.open_rgb(content, picture.name)
                return image.crop(tuple(picture.crop)) if picture.crop else image
        except data.DataError:
            pass  # damaged: its hash may be left
        return _kept_hash(picture)

    return look


def _bytes_of(picture: TrainingPicture) -> bytes | None:
    stored = picture.file or (picture.media.file if picture.media else None)
    if not stored:
        return None
    try:
        with stored.open("rb") as opened:
            return bytes(opened.read())
    except OSError:
        return None


def _kept_hash(picture: TrainingPicture) -> np.ndarray | None:
    if not picture.hash:
        return None
    return np.unpackbits(np.frombuffer(bytes.fromhex(picture.hash), np.uint8)).reshape(pdq.BITS, pdq.BITS).astype(bool)
