"""Websockets. A consumer only reads: it asks for permission, joins its groups, sends snapshots, then passes events on.

Events are hints and may be lost; the rows are the truth. So while something is unfinished its snapshot is sent again
every ten seconds, which also heals whatever a restarted broker swallowed.
"""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.live import access_group, team_group, user_group
from accounts.models import Team, User
from accounts.roles import Action
from generator import events
from generator.models import Job

REFRESH_SECONDS = 10
FORBIDDEN = 4403
SHOWN = 50  # unfinished jobs whose snapshots one page gets


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

    async def event(self, message: dict[str, Any]) -> None:
        """One event from the layer."""
        event = message["event"]
        if event["type"] == "access.changed":
            await self._ask_again()
        else:
            await self.send_json(event)

    async def send_snapshots(self) -> bool:
        """Tells the whole state of every job of this socket; whether any of them is unfinished."""
        snapshots = await sync_to_async(self._snapshots)()
        for snapshot in snapshots:
            await self.send_json(snapshot)
        return bool(snapshots)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.send_snapshots()

    async def _join(self, groups: set[str]) -> None:
        for group in groups - self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self.joined - groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.joined = groups

    async def _permitted(self) -> set[str] | None:
        return await sync_to_async(self._groups)()

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
        return [events.snapshot(job) for job in self.jobs(related)]

    def jobs(self, related) -> list[Job]:
        """The jobs whose snapshots this socket gets."""
        raise NotImplementedError

    def wanted_groups(self, user: User) -> set[str] | None:
        """The groups whose events this socket passes on; None to refuse."""
        raise NotImplementedError


class LiveConsumer(WatchingConsumer):
    """`ws/live/`, one a page: all my jobs, my teams' new and reviewed pictures."""

    def wanted_groups(self, user: User) -> set[str]:
        """Own jobs, and every team that the person may look into."""
        teams = Team.objects.where(user, Action.VIEW).values_list("pk", flat=True)
        return {user_group(user.pk), *(team_group(pk) for pk in teams)}

    def jobs(self, related) -> list[Job]:
        """The unfinished ones, and once more each that was unfinished when last told."""
        mine = related.visible_to(self.user).filter(owner=self.user)
        told = {*mine.filter(pk__in=self._unfinished), *mine.unfinished()[:SHOWN]}
        self._unfinished = {job.pk for job in told if not job.is_finished}
        return list(told)

    _unfinished: frozenset[UUID] | set[UUID] = frozenset()


class JobConsumer(WatchingConsumer):
    """`ws/jobs/<uuid>/`: one job, for those who may see it."""

    def wanted_groups(self, user: User) -> set[str] | None:
        """The job's group, if it is visible."""
        job: UUID = self.scope["url_route"]["kwargs"]["job"]
        return {events.job_group(job)} if Job.objects.visible_to(user).filter(pk=job).exists() else None

    def jobs(self, related) -> list[Job]:
        """This one, finished or not: the last snapshot is how a page that missed the end learns of it."""
        found = related.visible_to(self.user).filter(pk=self.scope["url_route"]["kwargs"]["job"]).first()
        if found is None or (self._told_end and found.is_finished):
            return []
        self._told_end = found.is_finished
        return [found]

    _told_end: bool = False
