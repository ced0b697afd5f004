"""A tiny web server that answers as it is told to, for what a healthy studio does not do: lose, break off, refuse."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from atelier_cli.account import Account
from atelier_cli.studio import Studio

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Far:
    """`answers` are used up one by one; `asked` are the requests that came: (method, path, headers)."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


def says(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Answer:
    """An answer with that body; broken off after it where `length` promises more."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """No answer at all."""
    handler.close_connection = True


@pytest.fixture
def far() -> Iterator[Far]:
    """The server."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.asked.append((self.command, self.path, dict(self.headers)))
            there.answers.pop(0)(self)

        do_GET = do_POST = answer  # noqa: N815 (their names)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Far(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield there
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    """How long the program would have waited."""
    return []


@pytest.fixture
def studio(far, waits) -> Iterator[Studio]:
    """A client of that server which does not really wait."""
    with Studio(Account(far.url, "atl_key"), sleep=waits.append) as opened:
        yield opened


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder for settings of the test's own, and nothing in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("ATELIER_URL", raising=False)
    monkeypatch.delenv("ATELIER_API_KEY", raising=False)
    return tmp_path / "settings"
