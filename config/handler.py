"""How the web process answers a request: all of it in one thread of a few that stay.

Django's own handler for ASGI carries a request between its event loop and threads for each middleware, there and back,
and starts a thread and opens the database for each request anew; together that took longer than most of our views.
"""

import asyncio
import contextlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.cache import caches
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.db import close_old_connections
from django.http import HttpResponseBase
from django.urls import set_script_prefix
from servestatic.middleware import ServeStaticMiddleware

from config.health import alive

WAITING = "/v1/"  # addresses whose views wait for pictures: they must not hold a thread meanwhile
SWITCH = 0.001  # seconds that a busy thread keeps the interpreter while the event loop, and every socket, waits for it
THREADS = 4  # more wait for each other only; each may hold one of DATABASE_POOL_SIZE connections


class Handler(ASGIHandler):
    """HTTP for Django's views and middleware, which are synchronous; /healthz and static files by the event loop, and
    what waits by Django's own handler."""

    def __init__(self) -> None:
        super().__init__()
        sys.setswitchinterval(SWITCH)
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request", initializer=self._settle)
        self._static = ServeStaticMiddleware(self._in_thread)
        self._waiting = ASGIHandler()
        self._static_path = f"/{settings.STATIC_URL.strip('/')}/"

    def _settle(self) -> None:
        # Each request has a context of its own, copied from its thread's, in which the cache is: left to itself Django
        # makes the cache in the request's, and with it a connection to the broker each time.
        caches.all()
        self._own.context = copy_context()

    def load_middleware(self, is_async: bool = False) -> None:
        """As one chain of plain calls, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["path"] == "/healthz":
            await alive(send)
        elif scope["path"].startswith(WAITING):
            await self._waiting(scope, receive, send)
        else:
            await self.handle(scope, receive, send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Reads, answers, sends."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            request, response = self.create_request(scope, body)
            if request is not None:
                request.arrived = perf_counter()
                is_static = request.path_info.startswith(self._static_path)
                response = await (self._static(request) if is_static else self._in_thread(request))
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    async def _in_thread(self, request: ASGIRequest) -> HttpResponseBase:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer_alone, request)

    def _answer_alone(self, request: ASGIRequest) -> HttpResponseBase:
        return self._own.context.copy().run(self._answer, request)

    def _answer(self, request: ASGIRequest) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(request.scope))
        signals.request_started.send(sender=self.__class__, scope=request.scope)
        response = self.get_response(request)
        response._handler_class = self.__class__
        if response.streaming:
            close_old_connections()  # gives this thread's back; the rest is read elsewhere
        else:
            response.close()
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Until all is sent, or nobody is there any more to read it."""
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (leaving, sending):
                task.cancel()
            with contextlib.suppress(RequestAborted, asyncio.CancelledError):
                await leaving
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
            finally:
                await asyncio.get_running_loop().run_in_executor(self._threads, response.close)
