"""What a made picture is compared with, and how what is nearest is told."""

from collections.abc import Callable
from typing import Any

from PIL import Image

from accounts.models import User
from generator.diffusion.train.nearest import Nearest, Originals
from generator.models import Training, TrainingPicture
from generator.services.datasets.origins import Origin, opener


class Comparison:
    """All pictures that the models of a batch are known to have learned from, for whoever asked."""

    def __init__(self, origins: list[Origin], user: User, on_busy: Callable[[], None]) -> None:
        self.origins = origins
        self._known = [
            (origin, picture)
            for origin in origins
            if origin.is_known
            for picture in origin.pictures.select_related("media", "training")
        ]
        trainings = {picture.training_id for _origin, picture in self._known}
        seen = Training.objects.visible_to(user).filter(pk__in=trainings)
        self._named = set(seen.values_list("pk", flat=True))
        self._originals = Originals([opener(picture) for _origin, picture in self._known], on_busy)

    def nearest(self, image: Image.Image) -> Nearest | None:
        """The nearest training picture; None where there is none to look at."""
        return self._originals.nearest(image)

    def gone(self, origin: Origin) -> int:
        """How many of its training pictures are not there any more, nor a hash of them."""
        return sum(self._known[place][0] is origin for place in self._originals.gone)

    def facts(self, found: Nearest | None) -> dict[str, Any]:
        """Columns of the table: which training picture is nearest, what has learned from it, how many bits differ."""
        if found is None:
            return {"nearest_bits": None, "nearest_picture": None, "nearest_learned_by": None}
        origin, picture = self._known[found.place]
        named = {"nearest_picture": self._name(picture), "nearest_learned_by": origin.asset.name}
        return {"nearest_bits": found.bits, **named}

    def _name(self, picture: TrainingPicture) -> str | None:
        """None where the training is another team's, which lent only what came of it."""
        return picture.name if picture.training_id in self._named else None
