"""GET /metrics: figures for Prometheus, for those who watch the installation and nobody else."""

import ipaddress
import os
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from generator.metrics import Jobs

REQUESTS = Histogram(
    "atelier_http_request_seconds",
    "Time to answer a request, by the name of its address, in this web server.",
    ["method", "address", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def _registry() -> CollectorRegistry:
    """What a scrape reads: with several web processes (config.web) what all of them have counted, whichever answers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


EVERYTHING = _registry()
EVERYTHING.register(Jobs())

PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for the holder of METRICS_TOKEN; where none is set, for METRICS_NETWORKS. Others: no such page."""
    if not _may_read(request):
        return HttpResponseNotFound(content_type="text/plain")
    return HttpResponse(generate_latest(EVERYTHING), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        kind, _space, given = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if any(request.META.get(name) for name in PROXIED):
        return False  # a proxy on this machine asks for the whole world
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_NETWORKS)
