"""What every answer of the API carries beside its body: how often one may still ask, and what it is known by (ETag)."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
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
    patch_cache_control(response, private=True, no_cache=True)
    if not response.has_header("ETag"):
        set_response_etag(response)
    return get_conditional_response(request, etag=response["ETag"], response=response)
