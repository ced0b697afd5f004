"""One middleware around all others: gives each request an id, and tells of its end in the log and to /metrics."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponseBase

from config.metrics import REQUESTS
from generator import trail

log = logging.getLogger("atelier.access")

HEADER = "X-Request-ID"
SECRET = frozenset({"token", "key", "signature"})  # parts of an address that open something for whoever reads them
ASKED_OFTEN = ("/readyz", "/metrics")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def follow_request(get_response: GetResponse) -> GetResponse:
    """Takes the id from X-Request-ID or draws one; it stands in every line of the request and on its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = getattr(request, "arrived", None) or perf_counter()  # it may have waited for a thread
        with trail.following(request=trail.request_id(request.headers.get(HEADER, ""))):
            return _tell(request, get_response(request), perf_counter() - started)

    return middleware


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> HttpResponseBase:
    response[HEADER] = trail.current_request()
    match = request.resolver_match
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, match.view_name if match else "", response.status_code).observe(seconds)
    user = getattr(request, "_cached_user", None)  # nobody is looked up for the log's sake
    facts = {
        "method": request.method,
        "path": _path(request),
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "user_id": user.pk if user else None,
    }
    level = logging.DEBUG if request.path.startswith(ASKED_OFTEN) else logging.INFO
    log.log(level, "%s %s %s", request.method, facts["path"], response.status_code, extra=facts)
    return response


def _path(request: HttpRequest) -> str:
    """Without the query, and without what would open a door."""
    path = request.path
    for name, value in (request.resolver_match.kwargs if request.resolver_match else {}).items():
        if name in SECRET:
            path = path.replace(str(value), "…")
    return path
