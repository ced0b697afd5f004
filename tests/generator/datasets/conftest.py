"""A finished batch of a taught model, one of whose pictures is a copy of what that has learned from."""

import io
import json
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image

from gallery import services as gallery
from gallery.models import Export
from generator.models import Adapter, Batch, Checkpoint, Generation, State, Training
from generator.services import create_batch, prepare, trainings
from tests.generator.trainings.conftest import photo

COPY = 1  # of the training's pictures the one that a made picture repeats


@pytest.fixture
def taught(studio, alice, checkpoint) -> Training:
    """Of alice's, with three pictures that were learned from."""
    facts = {"team": studio, "owner": alice, "name": "Our bottle", "noun": "bottle", "checkpoint": checkpoint}
    training = Training.objects.create(**facts, word="ourbottle")
    for number in range(3):
        trainings.add_file(user=alice, training=training, name=f"view {number}.png", content=photo(number, edge=512))
    training.pictures.update(learned=timezone.now())
    return training


@pytest.fixture
def adapter(taught) -> Adapter:
    """What came of it."""
    facts = {"slug": "our-bottle", "name": "Our bottle", "kind": "lora", "family": taught.checkpoint.family}
    return Adapter.objects.create(**facts, licence_name="MIT", training=taught, version=2, weights_hash="abc")


@pytest.fixture
def finished(studio, checkpoint) -> Callable[..., Batch]:
    """`finished(user, rows, model)`: rows are (prompt, title, its pictures or their numbers), as `shown`."""

    def make(user, rows, *, model: Checkpoint | None = None, worn: Adapter | None = None, visibility="team") -> Batch:
        model = model or checkpoint
        wanted = [
            prepare(checkpoint=model, prompt=prompt, title=title, count=len(photos), steps=2, seed=10 * n)
            for n, (prompt, title, photos) in enumerate(rows, 1)
        ]
        asked = {"name": "Bottles", "origin": "table", "generations": wanted, "visibility": visibility}
        batch = create_batch(user=user, team=studio, **asked)
        if worn:
            entry = {"slug": worn.slug, "name": worn.name, "kind": "lora", "weight": 1.0, "hash": "abc", "word": ""}
            Generation.objects.filter(job__batch=batch).update(adapters=[entry])
        for job, (prompt, title, photos) in zip(batch.jobs.order_by("position"), rows, strict=True):
            job.move(State.RUNNING, worker="one")
            job.move(State.DONE)
            for index, number in enumerate(photos):
                recipe = {"prompt": prompt, "checkpoint": model.name, "seed": job.generation.seed + index}
                image = number if isinstance(number, Image.Image) else shown(number)
                item = gallery.NewMedia(
                    image=image,
                    recipe=recipe,
                    team=studio,
                    owner=user,
                    visibility=visibility,
                    job=job.pk,
                    index=index,
                    title=title,
                )
                gallery.add_media(items=[item])
        return batch

    return make


def shown(number: int) -> Image.Image:
    """What a model draws that repeats a picture: smaller than it."""
    return Image.open(BytesIO(photo(number, edge=512))).convert("RGB").resize((96, 96))


def unpacked(export: Export) -> tuple[zipfile.ZipFile, list[dict], dict]:
    """The zip of a prepared export, its table and its manifest."""
    gallery.drain_deliveries()
    export.refresh_from_db()
    assert export.state == "done", export.reason
    with export.file.open("rb") as stored:
        archive = zipfile.ZipFile(io.BytesIO(stored.read()))
    rows = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
    return archive, rows, json.loads(archive.read("manifest.json"))
