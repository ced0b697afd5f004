"""What every answer of the API carries beside its body: how often one may still ask, and what it is known by (ETag).

Calls with a key go straight to it: sessions, forms and pages, which all other middleware is for, are none of theirs.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import get_conditional_response, patch_cache_control, set_response_etag
from django.utils.decorators import sync_and_async_middleware

PATHS = ("/api/", "/v1/")
GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def finish_api_answers(get_response: GetResponse) -> GetResponse:
    """RateLimit-* headers (an IETF draft), and for what was read an ETag, or 304 (RFC 9110, 13.2)."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return _finish(request, await get_response(request))
    else:

        def middleware(request):
            return _finish(request, get_response(request))

    return middleware


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not request.path_info.startswith(PATHS):
        return response
    if rate := getattr(request, "rate", None):
        response["RateLimit-Limit"] = rate.limit
        response["RateLimit-Remaining"] = rate.remaining
        response["RateLimit-Reset"] = rate.reset
        if rate.is_exceeded:
            response["Retry-After"] = rate.reset
    if request.method != "GET" or response.status_code != 200 or response.streaming:
        return response
    if response.has_header("Cache-Control"):
        patch_cache_control(response, private=True, no_cache=True)
    else:
        response["Cache-Control"] = "private, no-cache"
    if not response.has_header("ETag"):
        set_response_etag(response)
    return get_conditional_response(request, etag=response["ETag"], response=response)


class _Straight(BaseHandler):
    """From a request to the API's answer with little in between; whoever calls is nobody until their key is read."""

    def __init__(self) -> None:
        self._view_middleware: list = []
        self._template_response_middleware: list = []
        self._exception_middleware: list = []
        self.answer = convert_exception_to_response(self._get_response)
        for wrap in (finish_api_answers, LocaleMiddleware, _as_any_answer):
            self.answer = convert_exception_to_response(wrap(self.answer))


def _as_any_answer(get_response: GetResponse) -> GetResponse:
    """What CommonMiddleware and XFrameOptionsMiddleware do: only hosts of ours are asked, and no page frames us."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.get_host()
        request.user = AnonymousUser()
        response = get_response(request)
        response.headers.setdefault("X-Frame-Options", "DENY")
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return middleware


def straight_to_api(get_response: GetResponse) -> GetResponse:
    """Takes calls of /api/ that bring a key past all middleware below this one."""
    straight = _Straight()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        brings_key = request.META.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
        is_ours = brings_key and request.path_info.startswith("/api/")
        return straight.answer(request) if is_ours else get_response(request)

    return middleware
