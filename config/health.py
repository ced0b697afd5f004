"""Whether the process lives, and whether the installation can do its work."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from generator.models import Worker


async def alive(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """/healthz over ASGI: 200 as long as the process answers at all, whatever its threads are busy with."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer and a worker was seen lately, else 503; says which of them does not."""
    checks = {"database": _answers(_ask_database), "broker": _answers(_ask_broker)}
    checks["worker"] = checks["database"] and Worker.objects.alive().exists()
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    cache.get("readyz")


def _answers(ask) -> bool:
    try:
        ask()
    except Exception:  # whatever it is, the answer is "no"
        return False
    return True
