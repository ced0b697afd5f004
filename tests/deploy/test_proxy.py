"""The proxy's own configuration before the real web server: files by X-Accel-Redirect, sockets, static files, TLS."""

import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import httpx
import pytest
import redis
import websockets.exceptions
from websockets.sync.client import connect

from benchmarks.visitor import Visitor
from tests.deploy.stack import Stack
from tests.requirements import find_nginx
from tests.servers import make_certificate, needed, wait_for

EMAIL, PASSWORD = "alice@example.com", "a rather long password"
SEED = f"""
from PIL import Image
from accounts.models import Team
from accounts.services import create_person
from gallery.services import NewMedia, add_media
alice = create_person(email="{EMAIL}", name="Alice", password="{PASSWORD}")
team = alice.memberships.first().team
picture = Image.new("RGB", (64, 64), "#c22")
add_media(items=[NewMedia(image=picture, recipe={{"prompt": "red"}}, team=team, owner=alice)])
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Broker, web server and proxy by the compose file's own commands; one person, one picture. SQLite is enough."""
    with Stack(tmp_path_factory.mktemp("proxy"), {"ALLOWED_HOSTS": "127.0.0.1"}) as stack:
        stack.secret("database_url").write_text(f"sqlite:///{stack.folder}/data/atelier.sqlite3")
        stack.start("broker")
        stack.prepare(SEED)
        stack.start("web")
        wait_for(lambda: stack.is_well("web"), "the web server answers")
        stack.start("proxy")
        wait_for(lambda: _get(f"{stack.url('proxy')}/proxy-health").status == 204, "the proxy answers")
        yield stack


@pytest.fixture
def visitor(stack) -> Visitor:
    """Alice, signed in through the proxy."""
    visitor = Visitor(stack.url("proxy"))
    visitor.get("/account/login/")
    assert visitor.post("/account/login/", {"login": EMAIL, "password": PASSWORD}).status_code == 302
    return visitor


def _get(url: str, **headers: str):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30)


@pytest.mark.parametrize("config", ["nginx.conf", "nginx-tls.conf"])
def test_nginx_understands_it(config, stack):
    certificate = make_certificate(stack.folder)
    shutil.copy(certificate.file, stack.secret("tls_certificate"))
    shutil.copy(certificate.key, stack.secret("tls_key"))
    command = [needed(find_nginx), "-t", "-c", str(stack.folder / "deploy/nginx" / config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_a_picture_is_sent_by_the_proxy_for_whom_it_was_signed(stack, visitor):
    address = visitor.media_address()
    assert "X-Accel-Redirect" in _past_the_proxy(visitor, stack.url("web")).get(address).headers
    answer = visitor.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"
    assert "X-Accel-Redirect" not in answer.headers
    assert answer.headers["Cache-Control"] == "private, max-age=3600, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert Visitor(stack.url("proxy")).get(address).status_code == 302  # to sign in


def test_files_have_no_other_door(stack):
    stored = next((stack.folder / "data/media").rglob("*.png")).relative_to(stack.folder / "data/media")
    for path in (f"/_media/{stored}", f"/_media/../_media/{stored}", f"/media/{stored}", "/_media../secret_key"):
        with pytest.raises(urllib.error.HTTPError) as error:
            _get(f"{stack.url('proxy')}{path}")
        assert error.value.code == 404


def test_metrics_are_for_the_holder_of_the_token(stack, visitor):
    token = stack.secret("metrics_token").read_text()
    assert visitor.get("/metrics").status_code == 404
    answer = httpx.get(f"{stack.url('proxy')}/metrics", headers={"Authorization": f"Bearer {token}"})
    assert "atelier_queue_jobs" in answer.text


def test_static_files_are_kept_by_the_proxy_and_by_browsers(stack, visitor):
    path = re.search(r'href="(/static/css/base\.[0-9a-f]+\.css)"', visitor.get("/").text)[1]
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert any(file.is_file() for file in (stack.folder / "tmp/static").rglob("*"))


def test_sockets_pass(visitor):
    with connect(f"{visitor.ws}/ws/live/", additional_headers=visitor.headers) as socket:
        assert socket.ping().wait(30)
    with pytest.raises(websockets.exceptions.InvalidStatus):
        connect(f"{visitor.ws}/ws/live/", origin=visitor.base)


def test_who_asks_is_what_the_proxy_saw_and_not_what_a_browser_says(stack):
    """Sign-ins are limited by address: a browser must not be able to choose one."""
    broker = redis.Redis.from_url(stack.secret("redis_url").read_text())

    def counted(base: str, address: str) -> set[bytes]:
        visitor = Visitor(base)
        visitor.get("/account/login/")
        wrong = {"login": "nobody@example.com", "password": "wrong"}
        assert visitor.post("/account/login/", wrong, **{"X-Forwarded-For": address}).status_code == 200
        return set(broker.keys("*rl:*"))

    first = counted(stack.url("proxy"), "203.0.113.1")
    assert first
    assert counted(stack.url("proxy"), "203.0.113.2") == first
    assert counted(stack.url("web"), "203.0.113.3") > first


def test_tls(stack, tmp_path):
    with Stack(tmp_path / "tls", override="docker-compose.tls.yml") as other:
        certificate = make_certificate(tmp_path)
        shutil.copy(certificate.file, other.secret("tls_certificate"))
        shutil.copy(certificate.key, other.secret("tls_key"))
        config = other.folder / "deploy/nginx/studio.conf"
        config.write_text(re.sub(r"web 127.+?;", f"web 127.0.0.1:{stack.ports['web']};", config.read_text()))
        other.start("proxy")
        trusting = ssl.create_default_context(cafile=str(certificate.file))
        url = f"https://127.0.0.1:{other.ports['proxy-tls']}/healthz"
        wait_for(lambda: urllib.request.urlopen(url, context=trusting).status == 200, "https answers")
        plain = httpx.get(f"{other.url('proxy')}/gallery/?q=red")
        assert (plain.status_code, plain.headers["Location"]) == (308, "https://127.0.0.1/gallery/?q=red")


def _past_the_proxy(visitor: Visitor, base: str) -> Visitor:
    other = Visitor(base)
    other.client.cookies.update(visitor.client.cookies)
    return other


def test_while_the_web_server_is_away_the_proxy_says_so(tmp_path):
    with Stack(tmp_path / "alone") as alone:
        alone.start("proxy")
        wait_for(lambda: _get(f"{alone.url('proxy')}/proxy-health").status == 204, "the proxy answers")
        answer = httpx.get(alone.url("proxy"))
        assert answer.status_code == 502
        assert "Back in a moment" in answer.text
