"""Websockets. A consumer only reads: it asks for permission, joins its groups, sends snapshots, then passes events on.

Events are hints and may be lost; the rows are the truth. So while something is unfinished its snapshot is sent again
every ten seconds, which also heals whatever a restarted broker swallowed.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from functools import partial
from time import time
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user
from django.db import DatabaseError, close_old_connections
from django.db.models import Q
from django.http import HttpRequest

from accounts.live import access_group, album_group, team_group, user_group
from accounts.models import Team, User
from accounts.roles import Action
from generator import events
from generator.metrics import EVENT_LAG
from generator.models import FINISHED, Job, State

log = logging.getLogger(__name__)

REFRESH_SECONDS = 10
FORBIDDEN = 4403
Found = TypeVar("Found")
ALBUMS = 100  # of a guest's that one page hears of
SHOWN = 50  # unfinished jobs whose snapshots one page gets


async def _read(question: Callable[[], Found]) -> Found:
    """The answer of something that asks the database."""

    def ask() -> Found:
        close_old_connections()
        return question()

    return await sync_to_async(ask)()


class WatchingConsumer(AsyncJsonWebsocketConsumer):
    """What both kinds of socket share; they differ in `jobs` and `wanted_groups`."""

    async def connect(self) -> None:
        """Refuses strangers at the handshake; else joins first and reads then, so that nothing falls between."""
        self.joined: set[str] = set()
        self._refresher: asyncio.Task[None] | None = None
        groups = await self._permitted()
        if groups is None:
            await self.close(FORBIDDEN)
            return
        await self._join(groups)
        await self.accept()
        await self.send_snapshots()
        self._refresher = asyncio.create_task(self._refresh())

    async def disconnect(self, code: int) -> None:
        """Leaves whatever was joined."""
        if self._refresher:
            self._refresher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refresher
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Browsers have nothing to say here."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Events go straight through: what channels does first, tidying the database's connections, takes longer."""
        await (self.event(message) if message["type"] == "event" else super().dispatch(message))

    async def event(self, message: dict[str, Any]) -> None:
        """One event from the layer, see accounts.live.publish."""
        if message["kind"] == "access.changed":
            await self._ask_again()
            return
        if message["kind"] == "queue.changed":
            await self.send_snapshots()
        await self.send(text_data=message["text"])
        EVENT_LAG.observe(max(0.0, time() - message["published"]))

    async def send_snapshots(self) -> bool:
        """Tells the whole state of every job of this socket; whether any of them is unfinished."""
        snapshots = await _read(self._snapshots)
        for snapshot in snapshots:
            await self.send_json(snapshot)
        return bool(snapshots)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self.pause())
            try:
                await self.tell_again()
            except DatabaseError:  # away for a moment; it is asked again
                log.warning("could not read the jobs of a socket", exc_info=True)

    def pause(self) -> float:
        """Seconds until the snapshots are told again."""
        return REFRESH_SECONDS

    async def tell_again(self) -> None:
        """What is still unfinished, as it is now."""
        await self.send_snapshots()

    async def _join(self, groups: set[str]) -> None:
        for group in groups - self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self.joined - groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.joined = groups

    async def _permitted(self) -> set[str] | None:
        return await _read(self._groups)

    async def _ask_again(self) -> None:
        groups = await self._permitted()
        if groups is None:
            await self.close(FORBIDDEN)
        else:
            await self._join(groups)

    def _groups(self) -> set[str] | None:
        user = self._signed_in()
        if user is None:
            return None
        wanted = self.wanted_groups(user)
        return None if wanted is None else {access_group(user.pk), *wanted}

    def _signed_in(self) -> User | None:
        # Asked of the session as it is now, not as it was at the handshake: it may have been ended since.
        request = HttpRequest()
        request.session = type(self.scope["session"]._wrapped)(self.scope["session"].session_key)
        user = get_user(request)
        self.user = user
        return user if user.is_authenticated and user.is_active else None

    def _snapshots(self) -> list[events.Event]:
        related = Job.objects.select_related("account", "generation__checkpoint")
        return events.snapshots(self.jobs(related))

    def jobs(self, related) -> list[Job]:
        """The jobs whose snapshots this socket gets."""
        raise NotImplementedError

    def wanted_groups(self, user: User) -> set[str] | None:
        """The groups whose events this socket passes on; None to refuse."""
        raise NotImplementedError


class LiveConsumer(WatchingConsumer):
    """`ws/live/`, one a page: all my jobs, my teams' new and reviewed pictures; with `?of=queue` the line too."""

    def wanted_groups(self, user: User) -> set[str]:
        """Own jobs, every team that the person may look into, and albums that they are a guest of."""
        teams = list(Team.objects.pks_where(user, Action.VIEW))
        albums = user.album_memberships.values_list("album", flat=True)[:ALBUMS]
        groups = {user_group(user.pk), *(team_group(pk) for pk in teams), *(album_group(pk) for pk in albums)}
        if self.scope["query_string"] == b"of=queue":  # asked for by the page that needs them: others are spared
            groups |= {events.LINE, *(events.line_group(pk) for pk in teams)}
        return groups

    def jobs(self, related) -> list[Job]:
        """The unfinished ones, and once more each that was unfinished when last told."""
        mine = related.visible_to(self.user).filter(owner=self.user)
        single = mine.unfinished().filter(Q(batch=None) | Q(state=State.RUNNING))  # what waits of a batch has one card
        told = {*mine.filter(pk__in=self._unfinished), *single[:SHOWN]}
        self._unfinished = {job.pk for job in told if not job.is_finished}
        return list(told)

    _unfinished: frozenset[UUID] | set[UUID] = frozenset()


class JobConsumer(WatchingConsumer):
    """`ws/jobs/<uuid>/`: one job, for those who may see it."""

    def wanted_groups(self, user: User) -> set[str] | None:
        """The job's group, if it is visible."""
        job: UUID = self.scope["url_route"]["kwargs"]["job"]
        return {events.job_group(job)} if Job.objects.watchable_by(user).filter(pk=job).exists() else None

    def jobs(self, related) -> list[Job]:
        """This one, finished or not: the last snapshot is how a page that missed the end learns of it."""
        found = related.watchable_by(self.user).filter(pk=self.scope["url_route"]["kwargs"]["job"]).first()
        if found is None or (self._told_end and found.is_finished):
            return []
        self._told_end = found.is_finished
        return [found]

    _told_end: bool = False

    def pause(self) -> float:
        """All sockets of a job are told again at the same moments, so that its row is read once for all of them."""
        job: UUID = self.scope["url_route"]["kwargs"]["job"]
        return REFRESH_SECONDS - (time() - job.int % 1000) % REFRESH_SECONDS

    async def tell_again(self) -> None:
        """Who may watch was asked when the group was joined, and is again whenever somebody's rights change."""
        if self._told_end:
            return
        state, text = await _reading(self.scope["url_route"]["kwargs"]["job"])
        self._told_end = state in FINISHED
        if text:
            await self.send(text_data=text)


_readings: dict[UUID, tuple[float, asyncio.Task[tuple[str, str]]]] = {}  # of jobs that several sockets watch


async def _reading(job: UUID) -> tuple[str, str]:
    """(state, snapshot as JSON) of a job, read once for all who ask in the same moment; ("", "") when it is gone."""
    now = time()
    begun, task = _readings.get(job, (0.0, None))
    if task is None or now - begun > REFRESH_SECONDS / 10 or task.get_loop() is not asyncio.get_running_loop():
        for other in [other for other, (at, _task) in _readings.items() if now - at > REFRESH_SECONDS]:
            del _readings[other]
        task = asyncio.create_task(_read(partial(_snapshot, job)))
        _readings[job] = (now, task)
    return await asyncio.shield(task)


def _snapshot(pk: UUID) -> tuple[str, str]:
    found = Job.objects.select_related("account", "generation__checkpoint").filter(pk=pk).first()
    return (found.state, json.dumps(events.snapshot(found))) if found else ("", "")
