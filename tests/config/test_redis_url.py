"""One REDIS_URL serves cache, channel layer and broker: over TLS, and through Sentinels that name the server."""

import asyncio
import uuid
from types import SimpleNamespace

import pytest
from celery import Celery
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.cache.backends.redis import RedisCache
from kombu.exceptions import OperationalError

from config.redis_url import RedisUrlError, parse
from tests.servers import RedisServers, make_certificate, wait_for

PASSWORD = "word"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def servers(tmp_path):
    made = RedisServers(tmp_path, password=PASSWORD)
    yield made
    made.stop()


@pytest.fixture(params=["plain", "tls", "sentinel", "sentinel with tls"])
def place(request, servers, certificate) -> SimpleNamespace:
    """A Redis that asks for a password, its URL, and the ports of the server and the Sentinel."""
    servers.certificate = certificate if "tls" in request.param else None
    query = f"?ssl_ca_certs={certificate.file}" if servers.certificate else ""
    scheme = "rediss" if servers.certificate else "redis"
    port = servers.serve()
    wait_for(lambda: _cache(f"{scheme}://:{PASSWORD}@127.0.0.1:{port}/0{query}").set("up", 1) is None, "redis answers")
    if "sentinel" not in request.param:
        return SimpleNamespace(url=f"{scheme}://:{PASSWORD}@127.0.0.1:{port}/3{query}", sentinel=None, port=port)
    sentinel = servers.watch(port, "studio", password="other")
    query = f"{query or '?'}&sentinel_password=other"
    # The first Sentinel of the list is down: that is what several are for.
    hosts = f"127.0.0.1:1,127.0.0.1:{sentinel}"
    url = f"{scheme}+sentinel://:{PASSWORD}@{hosts}/studio/3{query}"
    wait_for(lambda: _cache(url).set("up", 1) is None, "the sentinel answers")
    return SimpleNamespace(url=url, sentinel=sentinel, port=port)


def _cache(url: str) -> RedisCache:
    found = parse(url).cache()
    return RedisCache(found["LOCATION"], {"OPTIONS": dict(found["OPTIONS"])})


def _layer(url: str) -> RedisPubSubChannelLayer:
    return RedisPubSubChannelLayer(hosts=[parse(url).channel_host()], prefix="test")


def _queue(url: str):
    app = Celery("test")
    app.config_from_object(SimpleNamespace(**parse(url).celery()), namespace="CELERY")
    return app.connection_for_write().SimpleQueue("test")


def test_cache(place):
    cache = _cache(place.url)
    cache.set("picture", {"seed": 7})
    assert cache.get("picture") == {"seed": 7}
    assert cache._cache.get_client().connection_pool.connection_kwargs["db"] == 3


async def test_channel_layer(place):
    layer = _layer(place.url)
    channel = await layer.new_channel()
    await layer.group_add("team", channel)
    await layer.group_send("team", {"type": "event", "number": 7})
    assert await asyncio.wait_for(layer.receive(channel), 5) == {"type": "event", "number": 7}
    await layer.flush()


def test_broker(place):
    queue = _queue(place.url)
    word = str(uuid.uuid4())
    queue.put(word)
    message = queue.get(timeout=30)
    message.ack()
    assert message.payload == word
    queue.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/v.sock", "redis+sentinel://127.0.0.1:1"])
def test_nobody_waits_long_for_a_broker_that_is_gone(url, monkeypatch):
    app = Celery("test")
    app.config_from_object(SimpleNamespace(**parse(url).celery()), namespace="CELERY")
    pauses: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", pauses.append)
    monkeypatch.setattr("redis.retry.sleep", pauses.append)
    with pytest.raises(OperationalError):
        app.send_task("anything", retry=False)
    assert sum(pauses) < 4  # kombu would wait six seconds


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(servers, certificate):
    servers.certificate = certificate
    port = servers.serve()
    known = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0"
    wait_for(lambda: _cache(f"{known}?ssl_ca_certs={certificate.file}").set("up", 1) is None, "redis answers")
    with pytest.raises(Exception, match="certificate verify failed"):
        _cache(known).get("up")
    with pytest.raises(Exception, match="certificate verify failed"):
        _queue(known)


def test_after_the_server_was_lost_the_next_one_is_used(servers):
    """A cache and a queue that are in use go on, without a new start, with the server that the Sentinel promotes."""
    first = servers.serve()
    wait_for(lambda: _cache(f"redis://:{PASSWORD}@127.0.0.1:{first}").set("up", 1) is None, "redis answers")
    second = servers.serve(replica_of=first)
    wait_for(lambda: _cache(f"redis://:{PASSWORD}@127.0.0.1:{second}").get("up"), "the copy is complete")
    sentinel = servers.watch(first, "studio")
    url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{sentinel}/studio/0"
    cache = _cache(url)
    wait_for(lambda: cache.set("before", 1) is None, "the sentinel answers")
    copy = _cache(f"redis://:{PASSWORD}@127.0.0.1:{second}")
    wait_for(lambda: copy.get("before") == 1, "what was written reached the copy")
    replicas = parse(url).sentinels().discover_slaves
    wait_for(lambda: replicas("studio"), "the sentinel knows the copy")
    servers.kill(first)
    wait_for(lambda: cache.set("after", 2) is None, "the copy was promoted", 60)
    assert cache.get("before") == 1
    assert cache._cache.get_client().connection_pool.get_master_address() == ("127.0.0.1", second)
    queue = _queue(url)
    queue.put("still here")
    message = queue.get(timeout=30)
    message.ack()
    assert message.payload == "still here"
    queue.close()


@pytest.mark.parametrize(
    ("url", "hosts", "service", "db"),
    [
        ("redis://broker", (("broker", 6379),), "", 0),
        ("redis://:p%40ss@broker:6380/2", (("broker", 6380),), "", 2),
        ("rediss://[::1]:6390/1", (("::1", 6390),), "", 1),
        ("redis+sentinel://a,b:1/main", (("a", 26379), ("b", 1)), "main", 0),
        ("redis+sentinel://a", (("a", 26379),), "mymaster", 0),
        ("rediss+sentinel://u:p@a,b/main/4?ssl_ca_certs=/ca.pem", (("a", 26379), ("b", 26379)), "main", 4),
    ],
)
def test_parts_of_an_address(url, hosts, service, db):
    found = parse(url)
    assert (found.hosts, found.service, found.db) == (hosts, service, db)


def test_a_socket_is_named_as_celery_writes_it():
    assert parse("unix:///run/v.sock").celery()["CELERY_BROKER_URL"] == "redis+socket:///run/v.sock"
    assert parse("unix:///run/v.sock").socket == "/run/v.sock"


def test_a_password_is_unquoted_for_servers_and_quoted_for_celery():
    found = parse("redis+sentinel://u:p%40%2Fss@a,b/main/4")
    assert found.password == "p@/ss"
    assert found.celery()["CELERY_BROKER_URL"] == "sentinel://u:p%40%2Fss@a:26379/4;sentinel://u:p%40%2Fss@b:26379/4"
    assert "p@/ss" not in repr(found)
    assert "p%40" not in repr(found)


NO_ADDRESSES = ["http://broker", "broker:6379", "redis://broker/one", "redis://broker/0?nonsense=1", "redis:///0"]
NO_ADDRESSES += ["redis://broker:port/0", "redis+sentinel://a/main/0/1", "redis://broker?ssl_ca_certs=/ca.pem"]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_named_without_its_password(url):
    with pytest.raises(RedisUrlError) as error:
        parse(url.replace("://", "://user:secret@", 1))
    assert "secret" not in str(error.value)
