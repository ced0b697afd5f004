"""Telling browsers: names of the channel groups, and the one publisher of a process.

A process keeps one background event loop for publishing: `async_to_sync(group_send)` opens a connection a call and
takes 8 ms, this takes half a millisecond. Events are hints, never the truth: one that cannot be sent is logged and
dropped.
"""

import asyncio
import atexit
import json
import logging
import threading
from concurrent.futures import Future
from functools import cache
from time import time
from typing import Any

from channels.layers import get_channel_layer

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds that the publisher has to end with its process


def user_group(user_id: int) -> str:
    """What one person's pages show: own jobs."""
    return f"user.{user_id}"


def access_group(user_id: int) -> str:
    """Every socket of one person, to be told when their rights have changed."""
    return f"access.{user_id}"


def team_group(team_id: object) -> str:
    """What a team's members see appear: new, reviewed and removed pictures."""
    return f"team.{team_id}"


def album_group(album_id: object) -> str:
    """What guests of an album see happen in it: its order, and what is said about its pictures."""
    return f"album.{album_id}"


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="publisher", daemon=True)
    thread.start()
    atexit.register(_end, loop, thread)
    return loop


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """Before the interpreter goes: a thread that it has to end by force may take the process down with it."""
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)


def publish(groups: list[str], event: dict[str, Any]) -> Future[None]:
    """Sends `event` (JSON-able, with a `type` such as "job.progress") to every socket in `groups`, without waiting.

    It is put into words once, however many sockets pass it on.
    """
    message = {"type": "event", "kind": event["type"], "text": json.dumps(event), "published": time()}

    async def send() -> None:
        layer = get_channel_layer()
        for group in groups:
            try:
                await layer.group_send(group, message)
            except Exception:
                log.warning("could not publish %s to %s", event.get("type"), group, exc_info=True)

    return asyncio.run_coroutine_threadsafe(send(), _loop())


def publish_access_changed(user_id: int) -> Future[None]:
    """To be called (on commit) whenever a person's rights shrink: sign-out, removal, revocation. Sockets ask again."""
    return publish([access_group(user_id)], {"type": "access.changed"})
