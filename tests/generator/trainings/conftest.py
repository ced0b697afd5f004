"""What the tests of trainings share: a tiny model that can be taught in a second, and something to teach it."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from accounts.models import User
from generator.models import Checkpoint, Training
from generator.services import trainings

QUICK = {
    "steps": 6,
    "points": 2,
    "batch": 2,
    "views": 2,
    "rank": 4,
    "save_every": 2,
    "sample_steps": 2,
    "samples": ["a {}"],
    "others": ["a cat"],
    "prior_pictures": 2,
    "learning_rate": 1e-2,
}


@pytest.fixture
def make_training(checkpoint, studio) -> Callable[..., Training]:
    """`make_training(user, **changes)`: a draft of that person in the studio, without pictures."""

    def make(user: User, **changes) -> Training:
        facts = {"team": studio, "owner": user, "name": "Our bottle", "noun": "bottle", "checkpoint": checkpoint}
        return Training.objects.create(**facts | {"word": "ourbottle"} | changes)

    return make


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """A whole model of the family sd1 that draws 64 pixels, of noise."""
    from tests.generator.diffusion import tiny

    root = tmp_path_factory.mktemp("sd1") / "tiny"
    tiny.sd1().save_pretrained(root)
    return root


@pytest.fixture
def tiny_model(db, tiny_folder, settings, tmp_path) -> Checkpoint:
    """Its row; what is taught lies in a folder of the test's own."""
    settings.MODELS_ROOT = tmp_path / "models"
    facts = {"slug": "tiny", "name": "Tiny", "source": str(tiny_folder), "family": "sd1", "native_size": 64}
    licence = {"licence_name": "RAIL-M", "licence_url": "https://rail.example/m", "commercial_use": "conditional"}
    return Checkpoint.objects.create(**facts, **licence, attribution="By Tiny", weights_hash="abc123")


def photo(number: int, edge: int = 96, kind: str = "PNG") -> bytes:
    """A file with blotches of colour, unlike those of other numbers."""
    shades = np.random.default_rng(number).integers(0, 255, (7, 7, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(shades).resize((edge, edge), Image.Resampling.NEAREST).save(buffer, kind)
    return buffer.getvalue()


def bring(user: User, training: Training, count: int = 5, *, stated: bool = True) -> None:
    """So many different pictures, with somebody's word for them."""
    for number in range(count):
        trainings.add_file(user=user, training=training, name=f"view {number}.png", content=photo(number))
    if stated:
        trainings.state_rights(user=user, training=training, pictures=None, rights="own", people="nobody")


@pytest.fixture
def ready(studio, tiny_model) -> Callable[..., Training]:
    """`ready(user, **changes)`: a draft with three pictures that may be started, of a few quick steps."""

    def make(user: User, **changes) -> Training:
        wanted = {"name": "Our bottle", "noun": "bottle", **changes}
        training = trainings.draft_training(user=user, team=studio, checkpoint=tiny_model, **wanted)
        bring(user, training, 3)
        quick = {**QUICK, **({"vectors": 2} if training.method == "embedding" else {})}
        Training.objects.filter(pk=training.pk).update(changes=quick)
        training.refresh_from_db()
        return training

    return make
