"""Following one job from a request that waits for it: what a socket would be told, as an asynchronous iterator."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from uuid import UUID

from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer, get_channel_layer

from accounts.models import User
from generator import events
from generator.models import FINISHED, Job

REFRESH_SECONDS = 10
ENDS = frozenset(f"job.{state}" for state in FINISHED)


async def follow(user: User, job: UUID) -> AsyncIterator[events.Event]:
    """The snapshot of `job`, then each event in order, the last one that of its end.

    Ends early, without that, when `user` may not see the job (any more). Events may be lost, so the snapshot comes
    again every ten seconds; one of an ended job is turned into the event of its end.
    """
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(events.job_group(job), channel)
    hearing: asyncio.Task | None = None
    last = (-1, -1)
    event = await _look(user, job)
    try:
        while event is not None:
            place = (event["attempt"], event["seq"])
            if place > last or (place == last and event["type"] == "job.snapshot"):
                last = place
                yield event
                if event["type"] in ENDS:
                    return
            # A receiver that is cancelled takes its channel with it, so one goes on over several waits.
            hearing = hearing or asyncio.create_task(layer.receive(channel))
            done, _waiting = await asyncio.wait({hearing}, timeout=REFRESH_SECONDS)
            if done:
                event, hearing = json.loads(hearing.result()["text"]), None
            else:
                event = await _look(user, job)
    finally:
        await layer.group_discard(events.job_group(job), channel)
        await _close(layer, channel, hearing)


async def _close(layer: BaseChannelLayer, channel: str, hearing: asyncio.Task | None) -> None:
    """Gives the channel back, for which the layer knows one way: a receiver that is cancelled while it waits."""
    while hearing is None or hearing.done():
        hearing = asyncio.create_task(layer.receive(channel))
        await asyncio.sleep(0)
    hearing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await hearing


@database_sync_to_async  # gives the connection back: what waits must not hold one
def _look(user: User, pk: UUID) -> events.Event | None:
    found = Job.objects.watchable_by(user).select_related("account", "generation__checkpoint").filter(pk=pk).first()
    if found is None:
        return None
    snapshot = events.snapshot(found)
    if found.is_finished:
        snapshot["type"] = f"job.{found.state}"
    return snapshot
