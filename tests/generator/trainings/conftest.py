"""What the tests of trainings share."""

from collections.abc import Callable

import pytest

from accounts.models import User
from generator.models import Training


@pytest.fixture
def make_training(checkpoint, studio) -> Callable[..., Training]:
    """`make_training(user, **changes)`: a draft of that person in the studio, without pictures."""

    def make(user: User, **changes) -> Training:
        facts = {"team": studio, "owner": user, "name": "Our bottle", "noun": "bottle", "checkpoint": checkpoint}
        return Training.objects.create(**facts | changes)

    return make
