"""The answer that is not what was asked for."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """What was asked for is against a rule; the text says which, in words for the person who asked."""
