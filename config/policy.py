"""The one exception to the strict Content-Security-Policy: the admin pages (docs/decisions/0003-admin-csp.md)."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

# Alpine, which draws unfold's menus, compiles expressions; the theme's colours and widths stand in the pages.
ADMIN = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


def admin_policy(get_response: Callable[[HttpRequest], HttpResponseBase]):
    """Loosens the policy below /admin/, and nowhere else. Stands below CSPMiddleware, which writes the header."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path_info.startswith(reverse("admin:index")):
            response._csp_update = ADMIN  # what csp's own decorators set
        return response

    return middleware
