"""Files in a bucket of an S3-compatible store. A put that was answered is durable, as in gallery.storage."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any

from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.deconstruct import deconstructible
from storages.backends.s3 import S3Storage

READ_IN_MEMORY = 4 * 1024 * 1024  # bytes; what is longer is read by way of a temporary file
NOT_FOUND = 404
CHOSEN = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires")
_making = threading.Lock()


@deconstructible
class BucketStorage(S3Storage):
    """A bucket, or a prefix in one. What goes wrong in it is an OSError, as with a folder.

    `public_endpoint` is where browsers reach the store, if they are to fetch files from it themselves.
    """

    signed_seconds = 300

    def __init__(self, *, public_endpoint: str = "", **options: Any) -> None:
        self.public_endpoint = public_endpoint
        super().__init__(**options)

    def get_default_settings(self) -> dict[str, Any]:
        """Names are unique already, and nothing is readable without a signature."""
        config = Config(
            signature_version="s3v4",
            # Stores of one's own seldom have a name in the DNS for each bucket.
            s3={"addressing_style": "path" if self.public_endpoint else "auto"},
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 3},
            # Checksums that only Amazon's own store is sure to know.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        ours = {"client_config": config, "file_overwrite": True, "max_memory_size": READ_IN_MEMORY}
        return {**super().get_default_settings(), **ours}

    @property
    def connection(self) -> Any:
        """One for all threads: each request has a thread of its own, and making a connection takes a tenth of a second.

        What threads share of it is the client below, which botocore makes for that.
        """
        with _making:
            if not hasattr(self, "_shared"):
                self._shared = super().connection
            return self._shared

    @cached_property
    def _signer(self) -> BaseClient:
        session: Session = self._create_session()
        return session.client(
            "s3", region_name=self.region_name, endpoint_url=self.public_endpoint, config=self.client_config
        )

    def signed_url(self, name: str, headers: dict[str, str]) -> str:
        """An address that opens the file for whoever has it, for `signed_seconds`, answered with those of these headers
        that a store lets others choose; ETag and the like it has of its own."""
        asked = {f"Response{name.replace('-', '')}": value for name, value in headers.items() if name in CHOSEN}
        asked |= {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}
        return self._signer.generate_presigned_url("get_object", Params=asked, ExpiresIn=self.signed_seconds)

    def _open(self, name: str, mode: str = "rb") -> Any:
        with _as_os_error(name):
            return super()._open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        with _as_os_error(name):
            return super()._save(name, content)

    def delete(self, name: str) -> None:
        """Removes it; one that is gone is no error."""
        with _as_os_error(name):
            super().delete(name)

    def get_modified_time(self, name: str) -> datetime:
        """When it was written. FileNotFoundError for one that is gone."""
        with _as_os_error(name):
            return super().get_modified_time(name)


@contextlib.contextmanager
def _as_os_error(name: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] == NOT_FOUND:
            raise FileNotFoundError(f"{name} is not in the bucket") from error
        raise OSError(f"the store could not do it for {name}: {error}") from error
