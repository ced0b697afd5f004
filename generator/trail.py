"""Whose doing a line in the log is: the request that a process answers, the job that a worker is busy with.

Both are context variables, so they reach every line that is written below, in threads that asgiref starts too. A job
keeps the id of the request that made it (Job.request), and a worker's lines about the job carry it on.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

REQUEST_LENGTH = 64  # of an id that a proxy or client gives
_PLAIN = re.compile(rf"[A-Za-z0-9._-]{{1,{REQUEST_LENGTH}}}")

_request: ContextVar[str] = ContextVar("request", default="")
_job: ContextVar[str] = ContextVar("job", default="")


def current_request() -> str:
    """The id of the request that this code runs for; empty outside of one."""
    return _request.get()


def current_job() -> str:
    """The id of the job that this code runs for; empty outside of one."""
    return _job.get()


def request_id(given: str = "") -> str:
    """The id that somebody upstream gave, if it is a plain word, else a new one."""
    return given if _PLAIN.fullmatch(given) else uuid4().hex


@contextmanager
def following(*, request: str, job: object = "") -> Iterator[None]:
    """Every line that is written inside names this request and this job."""
    marks = _request.set(request), _job.set(str(job))
    try:
        yield
    finally:
        _request.reset(marks[0])
        _job.reset(marks[1])
