"""Requests to addresses that people typed: to public ones only, looked up once, followed nowhere, never for long."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

CONNECT_SECONDS = 5
WHOLE_SECONDS = 15  # from connecting to the last byte that is read, however slowly they come
MOST_BYTES = 4096  # of an answer
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # IPv4 addresses, private ones too, in the clothes of public IPv6 ones


class Unreachable(Exception):  # noqa: N818 (it is told, not handled)
    """Nothing was sent, or no answer came. The message says why, for whoever gave the address."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the beginning of the body."""

    status: int
    text: str


@dataclass(frozen=True)
class Target:
    """An http or https address, taken apart. Raises Unreachable for anything else."""

    url: str

    @cached_property
    def parts(self) -> SplitResult:
        """As urlsplit cuts it."""
        try:
            parts = urlsplit(self.url)
            port = parts.port  # raises for one that is none
        except ValueError as error:
            raise Unreachable(_("This is no address that can be called.")) from error
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise Unreachable(_("The address must begin with https:// or http:// and name a host."))
        if parts.username or parts.password:
            raise Unreachable(_("The address must not hold a name or a password."))
        return parts

    @property
    def port(self) -> int:
        """The one it names, or that of its scheme."""
        return self.parts.port or (443 if self.parts.scheme == "https" else 80)

    @property
    def path(self) -> str:
        """What stands in the request line."""
        return (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")

    def resolve(self) -> str:
        """The IP address to connect to. Unreachable when the name leads anywhere that is not public."""
        try:
            found = socket.getaddrinfo(self.parts.hostname, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(_("There is no host “%(host)s”.") % {"host": self.parts.hostname}) from error
        addresses = [str(entry[4][0]) for entry in found]
        if not all(_is_allowed(address) for address in addresses):
            raise Unreachable(_("“%(host)s” is not a public address.") % {"host": self.parts.hostname})
        return addresses[0]


def _is_allowed(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip in ipaddress.ip_network(network) for network in settings.WEBHOOK_NETWORKS):
        return True
    return ip.is_global and not ip.is_multicast and not (ip.version == 6 and ip in NAT64)


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Sends `body` and reads the answer; a redirect is an answer like any other. Raises Unreachable."""
    target = Target(url)
    connection = _Pinned(target, target.resolve())
    # A peer that sends a byte now and then resets the socket's own patience each time.
    deadline = threading.Timer(WHOLE_SECONDS, _cut, [connection])
    deadline.daemon = True
    deadline.start()
    try:
        host = target.parts.netloc
        connection.request("POST", target.path, body, {"Host": host, "User-Agent": "Atelier-Webhooks", **headers})
        response = connection.getresponse()
        return Answer(response.status, response.read(MOST_BYTES).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if monotonic() - connection.began >= WHOLE_SECONDS or isinstance(error, TimeoutError):
            raise Unreachable(_("No answer within %(n)d seconds.") % {"n": WHOLE_SECONDS}) from error
        raise Unreachable(_("The connection failed: %(reason)s") % {"reason": error}) from error
    finally:
        deadline.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name may lead to by now."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.parts.hostname or "", target.port, timeout=WHOLE_SECONDS)
        self.address, self.encrypts, self.began = address, target.parts.scheme == "https", monotonic()

    def connect(self) -> None:
        """One socket, with TLS for the name that was asked for."""
        self.sock = socket.create_connection((self.address, self.port), CONNECT_SECONDS)
        self.sock.settimeout(WHOLE_SECONDS)
        if self.encrypts:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _cut(connection: _Pinned) -> None:
    with contextlib.suppress(OSError):  # closed already
        if connection.sock:
            connection.sock.shutdown(socket.SHUT_RDWR)
