"""How pytest-xdist shares the tests out: a module stays together, and so does whatever starts installations.

What starts installations and browsers waits more than it works, so it begins at once, beside all the rest, and no two
such tests disturb each other.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLATIONS = "installations"


def _group(item: pytest.Item) -> str:
    place = item.path.relative_to(HERE)
    return INSTALLATIONS if place.parts[0] in ("e2e", "deploy") else place.as_posix()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Says which tests stay together, and puts those first that take longest together."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    yield
    items.sort(key=lambda item: _group(item) != INSTALLATIONS)
