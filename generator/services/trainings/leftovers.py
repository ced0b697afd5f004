"""Files of trainings whose rows are gone."""

from pathlib import Path
from shutil import rmtree

from generator.models import TrainingPicture


def drop_folder(folder: Path) -> None:
    """A training's run: pictures, states, points."""
    rmtree(folder, ignore_errors=True)


def drop_file(picture: TrainingPicture) -> None:
    """The file of a picture that was brought."""
    if picture.file.name:
        picture.file.storage.delete(picture.file.name)
