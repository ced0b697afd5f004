"""What the tests of bringing pictures share."""

import hashlib

import pytest

from gallery import services
from gallery.models import UploadedFile


@pytest.fixture
def bring(bob, studio):
    """`bring(name, bytes, **said)`: an upload of bob's with one file, taken in; the file's row."""

    def one(name: str, data: bytes, **said) -> UploadedFile:
        upload = services.begin_upload(user=bob, team=studio, **{"whose": "own", **said})
        file = services.add_file(user=bob, upload=upload, name=name, size=len(data))
        for offset in range(0, len(data), services.PIECE):
            services.add_piece(user=bob, file=file, offset=offset, data=data[offset : offset + services.PIECE])
        services.finish_file(user=bob, file=file, sha256=hashlib.sha256(data).hexdigest())
        services.drain_deliveries()
        file.refresh_from_db()
        return file

    return one
