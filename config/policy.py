"""The one exception to the strict Content-Security-Policy: the admin pages (docs/decisions/0003-admin-csp.md)."""

from asgiref.sync import iscoroutinefunction
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware

# Alpine, which draws unfold's menus, compiles expressions; the theme's colours and widths stand in the pages.
ADMIN = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


@sync_and_async_middleware
def admin_policy(get_response):
    """Loosens the policy below /admin/, and nowhere else. Stands below CSPMiddleware, which writes the header."""
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponseBase:
            return _loosen(request, await get_response(request))
    else:

        def middleware(request: HttpRequest) -> HttpResponseBase:
            return _loosen(request, get_response(request))

    return middleware


def _loosen(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if request.path_info.startswith(reverse("admin:index")):
        response._csp_update = ADMIN  # what csp's own decorators set
    return response
