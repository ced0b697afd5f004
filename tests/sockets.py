"""Websockets of the studio, opened in the test's own process, by people who wait as long as a busy machine needs."""

from typing import Any

from channels.testing import WebsocketCommunicator
from django.test import Client

from config.asgi import application

PATIENCE = 30.0  # seconds; channels itself gives up after one


class Socket(WebsocketCommunicator):
    """One socket of a page that was loaded by `client`."""

    def __init__(self, client: Client, path: str, origin: str = "http://localhost") -> None:
        cookie = f"sessionid={client.cookies['sessionid'].value}" if "sessionid" in client.cookies else ""
        headers = [(b"origin", origin.encode()), (b"host", b"localhost"), (b"cookie", cookie.encode())]
        super().__init__(application, path, headers=headers)

    async def connect(self, timeout: float = PATIENCE) -> tuple[bool, Any]:
        """(whether it was accepted, subprotocol or code)"""
        return await super().connect(timeout)

    async def receive_output(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next message, whatever it is."""
        return await super().receive_output(timeout)

    async def receive_json_from(self, timeout: float = PATIENCE) -> Any:
        """The next event."""
        return await super().receive_json_from(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = PATIENCE) -> None:
        """The page is left."""
        await super().disconnect(code, timeout)
