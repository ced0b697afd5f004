"""Scripts that use the API."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import ApiKey, User
from accounts.services import create_api_key


@pytest.fixture
def calls(db) -> Callable[..., Client]:
    """`calls(user)`: a client with a key of that person; `scope="read"` for one that changes nothing."""

    def client_of(user: User, scope: str = ApiKey.Scope.WRITE) -> Client:
        _key, token = create_api_key(user=user, name="Test", scope=scope)
        return Client(headers={"Authorization": f"Bearer {token}"})

    return client_of
