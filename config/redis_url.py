"""REDIS_URL as broker, cache and channel layer each want to hear it: plain, with TLS, or found through Sentinels.

    redis://[user:password@]host[:6379][/0]
    rediss://[user:password@]host[:6379][/0]?ssl_ca_certs=/path/of/ca.pem
    redis+sentinel://[user:password@]host[:26379],host...[/service[/0]]       rediss+sentinel: both over TLS
    unix:///path/of/socket

The query may hold ssl_ca_certs, ssl_certfile, ssl_keyfile and ssl_cert_reqs (redis-py's names), and for Sentinels that
ask for a password of their own sentinel_username and sentinel_password. Knows no Django.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix")
TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
SENTINELS = ("sentinel_username", "sentinel_password")

# A broker that is gone is an error at once: redis-py would hold every request for ten seconds of its own attempts.
ONCE = {"retry": Retry(NoBackoff(), 1), "socket_connect_timeout": 2, "socket_timeout": 5}
# Likewise kombu's, six seconds.
ONCE_FOR_KOMBU = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


class RedisUrlError(ValueError):
    """Why an address cannot be used, without the password that may stand in it."""


@dataclass(frozen=True)
class RedisUrl:
    """An address taken apart. `hosts` are those of the Sentinels where `service` names what they watch."""

    url: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...]
    service: str
    db: int
    username: str | None
    password: str | None = field(repr=False)
    tls: dict[str, str] | None  # None: no TLS
    sentinel_login: dict[str, str] = field(repr=False)

    @property
    def socket(self) -> str | None:
        """The path of the unix socket, if it is one."""
        return None if self.hosts else urlsplit(self.url).path

    def cache(self) -> dict[str, Any]:
        """The part of a CACHES entry that says where."""
        pool = {"pool_class": "config.redis_url.SentinelPool"} if self.service else {}
        return {"LOCATION": [self.url], "OPTIONS": {**ONCE, **pool}}  # a list: Django splits a string at its commas

    def channel_host(self) -> str | dict[str, Any]:
        """One of the channel layer's `hosts`."""
        if not self.service:
            return self.url
        return {
            "master_name": self.service,
            "sentinels": list(self.hosts),
            "sentinel_kwargs": self.to_sentinels(AsyncRetry(NoBackoff(), 0)),
            **self.to_server(),
        }

    def celery(self) -> dict[str, Any]:
        """Celery's settings of the broker, with the prefix that they have among Django's."""
        if self.socket:
            url = self.url.replace("unix://", "redis+socket://", 1)
            return {"CELERY_BROKER_URL": url, "CELERY_BROKER_TRANSPORT_OPTIONS": ONCE_FOR_KOMBU}
        scheme = "sentinel" if self.service else "redis" if self.tls is None else "rediss"
        login = f"{quote(self.username or '', '')}:{quote(self.password, '')}@" if self.password else ""
        urls = [f"{scheme}://{login}{_bracketed(host)}:{port}/{self.db}" for host, port in self.hosts]
        options: dict[str, Any] = {**ONCE_FOR_KOMBU, "socket_connect_timeout": 2, "socket_keepalive": True}
        if self.service:
            options |= {"master_name": self.service, "sentinel_kwargs": self.to_sentinels(Retry(NoBackoff(), 0))}
        found: dict[str, Any] = {"CELERY_BROKER_URL": ";".join(urls), "CELERY_BROKER_TRANSPORT_OPTIONS": options}
        if self.tls is not None:
            found["CELERY_BROKER_USE_SSL"] = {"ssl_cert_reqs": "required", **self.tls}
        return found

    def sentinels(self) -> Sentinel:
        """Whom to ask which server to use."""
        return Sentinel(list(self.hosts), sentinel_kwargs=self.to_sentinels(Retry(NoBackoff(), 0)))

    def to_server(self) -> dict[str, Any]:
        """What redis-py needs for a connection to the server that Sentinels have named."""
        login = {"username": self.username, "password": self.password} if self.password else {}
        return {"db": self.db, **login, **self._tls()}

    def to_sentinels(self, retry: Retry | AsyncRetry) -> dict[str, Any]:
        """What redis-py needs for a connection to one of the Sentinels; when that fails, the next one is asked."""
        login = {key.removeprefix("sentinel_"): value for key, value in self.sentinel_login.items()}
        return {"socket_connect_timeout": 2, "socket_timeout": 2, "retry": retry, **login, **self._tls()}

    def _tls(self) -> dict[str, Any]:
        return {} if self.tls is None else {"ssl": True, **self.tls}


class SentinelPool(SentinelConnectionPool):
    """The connections of Django's cache to whichever server the Sentinels name at that moment."""

    @classmethod
    def from_url(cls, url: str, **options: Any) -> "SentinelPool":
        """The way Django's cache makes its pool."""
        address = parse(url)
        return cls(address.service, address.sentinels(), **address.to_server(), **options)


def parse(url: str) -> RedisUrl:
    """Takes an address apart. RedisUrlError says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise RedisUrlError(f"{parts.scheme}:// is no address of a Redis; it begins with one of: {', '.join(SCHEMES)}")
    if parts.scheme == "unix":
        return RedisUrl(url, (), "", 0, None, None, None, {})
    login, _at, where = parts.netloc.rpartition("@")
    username, _colon, password = login.partition(":")
    secure, watched = parts.scheme.startswith("rediss"), parts.scheme.endswith("+sentinel")
    service, db = _place(parts.path, watched)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = (TLS if secure else ()) + (SENTINELS if watched else ())
    if unknown := sorted(set(query) - set(known)):
        raise RedisUrlError(f"{parts.scheme}:// knows no {', '.join(unknown)}")
    return RedisUrl(
        url=url,
        hosts=tuple(_host(host, 26379 if watched else 6379) for host in where.split(",")),
        service=service,
        db=db,
        username=unquote(username) or None,
        password=unquote(password) or None,
        tls={key: query[key] for key in TLS if key in query} if secure else None,
        sentinel_login={key: query[key] for key in SENTINELS if key in query},
    )


def _place(path: str, watched: bool) -> tuple[str, int]:
    names = [name for name in path.split("/") if name]
    service = (names.pop(0) if names else "mymaster") if watched else ""
    number = names.pop(0) if names else "0"
    if names or not number.isdecimal():
        raise RedisUrlError(f"{path} ends in no number of a database")
    return service, int(number)


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname:
            return parts.hostname, parts.port or port
    except ValueError as error:
        raise RedisUrlError(f"{text}: {error}") from error
    raise RedisUrlError("an address needs the name of a host")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
