"""Why a file is not taken, and how much one may hold."""

from typing import Any

MOST_PIXELS = 50_000_000  # 200 MB decoded; the largest cameras of full format


class Unfit(Exception):  # noqa: N818 (a decision, no malfunction)
    """Why a file is not taken: a code for the sentence that people read, and what stands in it."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
