"""What the models of a batch have learned from, as far as it is known here. Imports no torch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from generator.diffusion.train import data, pdq
from generator.models import Adapter, Checkpoint, Generation, Training, TrainingPicture


@dataclass(frozen=True)
class Origin:
    """One model or adapter that the pictures were made with. pictures: what it has learned from; []: nobody knows."""

    asset: Checkpoint | Adapter
    kind: str  # "model", or the adapter's
    pictures: list[TrainingPicture] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Of its training pictures."""
        return len(self.pictures)

    @property
    def is_known(self) -> bool:
        """Whether what it has learned from can be compared with."""
        return bool(self.pictures)

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        names = ("name", "slug", "version", "weights_hash", "licence_name", "licence_url", "commercial_use")
        asset = self.asset
        return {"kind": self.kind, **{name: getattr(asset, name) for name in names}, "attribution": asset.attribution}


def origins_of(generations: Iterable[Generation]) -> list[Origin]:
    """The models and adapters of these requests, each once: models first."""
    checkpoints: dict[int, Checkpoint] = {}
    slugs: dict[str, None] = {}
    for one in generations:
        checkpoints[one.checkpoint_id] = one.checkpoint
        slugs |= dict.fromkeys(worn["slug"] for worn in one.adapters)
    adapters = Adapter.objects.select_related("training").filter(slug__in=slugs).order_by("name")
    found = [Origin(one, "model", _learned_by(one.training)) for one in checkpoints.values()]
    return [*found, *(Origin(one, one.kind, _learned_by(one.training)) for one in adapters)]


def _learned_by(training: Training | None) -> list[TrainingPicture]:
    """Those that were learned from, removed ones too: a model does not forget them."""
    if training is None:
        return []
    learned = training.pictures.exclude(learned=None).select_related("media", "training")
    return list(learned.order_by("order", "added"))


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
