"""How the web process answers: in a few threads that stay, and without them where it says that it is alive."""

import asyncio
import threading

import httpx
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.cache import caches
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import translation

from config.asgi import application
from config.handler import THREADS, Handler

BASE = "http://localhost"


def _browser(handler, **options) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(handler), base_url=BASE, **options)


def _answering(monkeypatch, answer) -> Handler:
    """A handler whose every page is what `answer(request)` returns."""
    handler = Handler()
    monkeypatch.setattr(handler, "get_response", answer)
    return handler


@pytest.mark.django_db(transaction=True)
async def test_a_person_gets_their_page(as_, alice):
    client = await sync_to_async(as_)(alice)
    async with _browser(application, cookies={"sessionid": client.cookies["sessionid"].value}) as browser:
        page = await browser.get("/account/profile/")
    assert page.status_code == 200
    assert "alice@" in page.text
    assert page.headers["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
async def test_a_form_arrives_whole(client):
    async with _browser(application) as browser:
        await browser.get("/account/login/")
        token = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": BASE}
        page = await browser.post(
            "/account/login/", data={"login": "nobody@example.com", "password": "x"}, headers=token
        )
    assert page.status_code == 200
    assert 'value="nobody@example.com"' in page.text


async def test_it_says_that_it_is_alive_while_every_thread_is_busy(monkeypatch):
    stop, busy = threading.Event(), threading.Semaphore(0)

    def wait(request):
        busy.release()
        stop.wait(60)
        return HttpResponse("late")

    async with _browser(_answering(monkeypatch, wait)) as browser:
        pages = [asyncio.create_task(browser.get("/")) for _ in range(THREADS)]
        for _ in pages:
            await asyncio.to_thread(busy.acquire, timeout=60)
        try:
            assert (await browser.get("/healthz")).text == "ok"
        finally:
            stop.set()
        assert {page.text for page in await asyncio.gather(*pages)} == {"late"}


async def test_requests_of_a_thread_share_the_cache_and_nothing_else(monkeypatch):
    seen, languages = {}, set()

    def look(request):
        seen.setdefault(threading.get_ident(), set()).add(caches["default"])
        languages.add(translation.get_language())
        translation.activate(request.GET["speak"])
        return HttpResponse()

    async with _browser(_answering(monkeypatch, look)) as browser:
        for language in ("de", "fr", "it"):
            await browser.get(f"/?speak={language}")
    assert [len(caches) for caches in seen.values()] == [1] * len(seen)
    assert languages == {"en"}


async def test_what_is_streamed_arrives_whole(monkeypatch):
    async def parts():
        for number in range(3):
            yield b"%d" % number

    async with _browser(_answering(monkeypatch, lambda request: StreamingHttpResponse(parts()))) as browser:
        assert (await browser.get("/")).text == "012"


async def test_nobody_reads_on_for_somebody_who_has_left(monkeypatch):
    ended, closed = asyncio.Event(), threading.Event()

    async def parts():
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    response = StreamingHttpResponse(parts())
    response._resource_closers.append(closed.set)
    handler = _answering(monkeypatch, lambda request: response)
    scope = {"type": "http", "path": "/", "method": "GET", "headers": [], "query_string": b"", "root_path": ""}
    visit = ApplicationCommunicator(handler, scope)
    await visit.send_input({"type": "http.request", "body": b"", "more_body": False})
    assert (await visit.receive_output(60))["status"] == 200
    await visit.send_input({"type": "http.disconnect"})
    await visit.wait(60)
    assert ended.is_set()
    assert closed.is_set()
