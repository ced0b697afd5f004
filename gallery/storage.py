"""Files that are on the disk when we say so."""

import os
from pathlib import Path

from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible
class DurableStorage(FileSystemStorage):
    """A folder. A saved file has reached the disk, name included, so that no job is DONE before its picture is safe."""

    def _save(self, name: str, content) -> str:
        try:
            name = super()._save(name, content)
        except OSError:  # the disk is full, say: Django leaves behind what it had written so far
            Path(self.path(name)).unlink(missing_ok=True)
            raise
        path = Path(self.path(name))
        for target in (path, path.parent):
            descriptor = os.open(target, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return name
