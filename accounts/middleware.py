"""What every request of a person needs: the team they work in, and a password of their own."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

type_view = Callable[[HttpRequest], HttpResponse]


def current_team(get_response: type_view) -> type_view:
    """Placeholder until accounts.services exists."""
    return get_response


def require_own_password(get_response: type_view) -> type_view:
    """Placeholder until the password page exists."""
    return get_response
