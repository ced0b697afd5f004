"""The broker by the compose file's own command: a password from a file, nothing lost when it is told to stop."""

import signal

import pytest
import redis

from tests.deploy.stack import Stack
from tests.servers import wait_for


def test_it_asks_for_its_password_and_keeps_what_it_holds(tmp_path):
    with Stack(tmp_path / "stack") as stack:
        url = stack.secret("redis_url").read_text()
        first = stack.start("broker")
        wait_for(lambda: redis.Redis.from_url(url).ping(), "the broker answers")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=stack.ports["broker"]).ping()
        client = redis.Redis.from_url(url)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("kept", "yes")
        # The signal reaches the server and not a shell in front of it, so that it ends in order.
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        stack.start("broker", 2)
        wait_for(lambda: redis.Redis.from_url(url).get("kept") == b"yes", "the broker has kept it")
