"""SIGTERM, as every new release sends it: the web server finishes what it has begun, and tells sockets to come back."""

import http.client
import signal
import time
from urllib.parse import urlencode

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from benchmarks.visitor import Visitor
from tests.deploy.stack import Stack
from tests.servers import wait_for

EMAIL, PASSWORD = "alice@example.com", "a rather long password"
SEED = f"""
from accounts.services import create_person
create_person(email="{EMAIL}", name="Alice", password="{PASSWORD}")
"""
SERVICE_RESTART = 1012
BEGUN = 8


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A broker, and somebody who may sign in; each test starts the web server, and ends it."""
    variables = {"ALLOWED_HOSTS": "127.0.0.1", "WEB_PROCESSES": "2"}
    with Stack(tmp_path_factory.mktemp("deploy") / "stack", variables) as stack:
        stack.secret("database_url").write_text(f"sqlite:///{stack.folder}/data/atelier.sqlite3")
        stack.start("broker")
        stack.prepare(SEED)
        yield stack


def test_what_was_begun_is_finished_and_sockets_are_told(stack):
    web = stack.start("web")
    wait_for(lambda: stack.is_well("web"), "the web server answers")
    visitor = Visitor(stack.url("web"))
    visitor.get("/account/login/")
    # Without a password: what is to be finished within ten seconds must not take long by itself.
    form = urlencode({"login": EMAIL, "csrfmiddlewaretoken": visitor.client.cookies["csrftoken"]})
    begun = []
    for _number in range(BEGUN):
        connection = http.client.HTTPConnection("127.0.0.1", stack.ports["web"], timeout=30)
        connection.putrequest("POST", "/account/login/")
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", str(len(form)))
        connection.putheader("Cookie", f"csrftoken={visitor.client.cookies['csrftoken']}")
        connection.endheaders(form[:10].encode())
        begun.append(connection)
    assert visitor.post("/account/login/", {"login": EMAIL, "password": PASSWORD}).status_code == 302
    with connect(f"{visitor.ws}/ws/live/", additional_headers=visitor.headers) as socket:
        assert socket.ping().wait(30)
        started = time.monotonic()
        web.send_signal(signal.SIGTERM)
        assert _closed_with(socket) == SERVICE_RESTART
    for connection in begun:
        connection.send(form[10:].encode())
        assert connection.getresponse().status == 200
    assert web.wait(30) in (0, -signal.SIGTERM)
    assert time.monotonic() - started < 25

    following = stack.start("web", 2)
    wait_for(lambda: stack.is_well("web"), "the next one answers")
    with connect(f"{visitor.ws}/ws/live/", additional_headers=visitor.headers) as again:
        assert again.ping().wait(30)
    following.terminate()
    assert following.wait(30) == 0


def test_a_process_that_dies_is_started_again_and_nobody_is_refused(stack):
    web = stack.start("web", 3)
    wait_for(lambda: stack.is_well("web"), "the web server answers")
    parent = psutil.Process(web.pid)
    first = wait_for_processes(parent, 2, without=set())
    visitor = Visitor(stack.url("web"))
    for child in first:  # all of them: who comes now waits for those that follow
        child.kill()
    assert visitor.get("/account/login/").status_code == 200
    second = wait_for_processes(parent, 2, without=set(first))
    assert 'address="account_login"' in visitor.client.get("/metrics", headers=_token(stack)).text
    web.terminate()
    assert web.wait(30) == 0
    assert not any(child.is_running() for child in second)


def wait_for_processes(parent: psutil.Process, number: int, without: set[psutil.Process]) -> list[psutil.Process]:
    """The first `number` children of `parent` beside those."""
    wait_for(lambda: len(set(parent.children()) - without) == number, f"{number} processes are there")
    return [*set(parent.children()) - without]


def _token(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.secret('metrics_token').read_text().strip()}"}


def _closed_with(socket: ClientConnection) -> int | None:
    try:
        while True:
            socket.recv(timeout=30)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
