"""The answer to a request that is well formed but not granted."""


class Refused(Exception):  # noqa: N818 (a decision, no malfunction)
    """The message says why and what to do, for the person who asked."""
