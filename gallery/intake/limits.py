"""What a process that opens what cannot be trusted may take."""

import contextlib
import resource


def limit(*, seconds: int, memory: int) -> None:
    """From now on: processor time, address space in bytes, and no image of memory when it falls over."""
    wanted = ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0))
    for kind, most in wanted:
        with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit
            resource.setrlimit(kind, (most, most))
