"""What went wrong, in plain words, and whether it may pass."""

import errno
import os

import pytest
from django.db import InterfaceError, OperationalError

from generator.troubles import diagnose


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


class ClientError(Exception):
    """As botocore's: with the store's answer."""

    def __init__(self, status: int) -> None:
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _wrapped(cause: Exception) -> OSError:
    error = OSError("the store could not do it")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "says", "tries"),
    [
        (_os_error(errno.ENOSPC), "The disk was full.", 4),
        (_os_error(errno.EDQUOT), "The disk was full.", 4),
        (OperationalError("database or disk is full"), "The disk was full.", 4),
        (_os_error(errno.EIO), "The storage of the pictures could not be reached.", 4),
        (ConnectionRefusedError(), "The storage of the pictures could not be reached.", 4),
        (_wrapped(ClientError(503)), "The storage of the pictures could not be reached.", 4),
        (_wrapped(ClientError(403)), "The worker could not read or write a file (the store could not do it).", 1),
        (_os_error(errno.EACCES), "The worker could not read or write a file (Permission denied).", 1),
        (MemoryError(), "The worker ran out of memory.", 2),
        (OutOfMemoryError("CUDA out of memory"), "The worker ran out of memory.", 2),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "The worker ran out of memory.", 2),
        (RuntimeError("CUDA error: an illegal memory access"), "The worker's device failed.", 4),
        (OperationalError("server closed the connection"), "The database could not be reached.", 4),
        (InterfaceError("connection already closed"), "The database could not be reached.", 4),
        (ValueError("x"), "Something went wrong while this was made.", 1),
    ],
)
def test_each_error_has_its_sentence(error, says, tries):
    trouble = diagnose(error, tries=4)
    assert (trouble.says, trouble.tries) == (says, tries)


def test_a_broken_device_takes_its_process_along():
    assert diagnose(RuntimeError("CUDA error: device-side assert"), tries=4).ends_worker
    assert diagnose(MemoryError(), tries=4).wants_room
