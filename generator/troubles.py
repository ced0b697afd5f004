"""What went wrong, in words for the person who waits, and whether it may pass by itself. Knows no torch, no boto."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

DATABASE_GONE = (OperationalError, InterfaceError)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
AWAY = frozenset(
    {errno.EIO, errno.ESTALE, errno.EROFS, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOTCONN}
)
STORE_AWAY = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError")
OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")


@dataclass(frozen=True)
class Trouble:
    """`says` is a sentence that stands alone; `tries` is how often, in all, it is worth trying."""

    says: str
    tries: int = 1
    advice: str = ""  # what the person can do, once it has failed for good
    wants_room: bool = False  # whatever else the worker keeps in memory is to go before the next try
    ends_worker: bool = False  # the process is of no use any more; another is to take its place


def diagnose(error: BaseException, *, tries: int) -> Trouble:
    """What an error means. `tries` is how often what may pass is tried in all; out of memory, twice at most."""
    chain = [*_chain(error)]
    if any(_is_out_of_memory(one) for one in chain):
        advice = _("Ask for fewer or smaller pictures.")
        return Trouble(_("The worker ran out of memory."), min(2, tries), advice, wants_room=True)
    if any(_is_device_failure(one) for one in chain):
        return Trouble(_("The worker's device failed."), tries=tries, ends_worker=True)
    if any(_is_full(one) for one in chain):
        return Trouble(_("The disk was full."), tries=tries)
    if any(_is_away(one) for one in chain):
        return Trouble(_("The storage of the pictures could not be reached."), tries=tries)
    if isinstance(error, DATABASE_GONE):
        return Trouble(_("The database could not be reached."), tries=tries)
    if isinstance(error, OSError):
        says = _("The worker could not read or write a file (%(error)s).") % {"error": error.strerror or error}
        return Trouble(says, advice=_("An administrator can see more in the job's entry."))
    return Trouble(
        _("Something went wrong while this was made."), advice=_("An administrator can see more in the job's entry.")
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it: stores and loaders wrap what really happened."""
    while error is not None:
        yield error
        error = error.__cause__


def _is_out_of_memory(error: BaseException) -> bool:
    return type(error).__name__ in OUT_OF_MEMORY or "can't allocate memory" in str(error)


def _is_device_failure(error: BaseException) -> bool:
    return type(error).__name__ == "AcceleratorError" or (
        isinstance(error, RuntimeError) and str(error).startswith("CUDA error")
    )


def _is_full(error: BaseException) -> bool:
    # SQLite's files lie on the same disk as the pictures, as a rule.
    return (isinstance(error, OSError) and error.errno in FULL) or "database or disk is full" in str(error)


def _is_away(error: BaseException) -> bool:
    if isinstance(error, ConnectionError | TimeoutError) or (isinstance(error, OSError) and error.errno in AWAY):
        return True
    if type(error).__name__ in STORE_AWAY:
        return True
    answer = getattr(error, "response", None)  # botocore's ClientError: the store has answered, but how?
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(answer, dict) else 0
    return status >= 500 or status == 429
