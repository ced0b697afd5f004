"""What every request of a person needs: the team they work in, and a password of their own."""

from collections.abc import Awaitable, Callable
from functools import partial

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Team
from accounts.roles import Action
from accounts.services import ensure_personal_team

GetResponse = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


@sync_and_async_middleware
def current_team(get_response: GetResponse) -> GetResponse:
    """Sets `request.team`: the team that the session chose while the person is in it, otherwise their personal one.

    It is looked up when it is first used, so that a request without a team pays nothing.
    """
    if iscoroutinefunction(get_response):

        async def middleware(request):
            request.team = SimpleLazyObject(partial(_team_of, request))
            return await get_response(request)
    else:

        def middleware(request):
            request.team = SimpleLazyObject(partial(_team_of, request))
            return get_response(request)

    return middleware


def _team_of(request: HttpRequest) -> Team | None:
    if not request.user.is_authenticated:
        return None
    chosen = request.session.get("team")
    mine = Team.objects.where(request.user, Action.VIEW).filter(Q(pk=chosen) | Q(personal_of=request.user))
    # One query brings both; False sorts first, so the chosen one wins.
    team = min(mine, key=lambda team: str(team.pk) != chosen, default=None)
    return team or ensure_personal_team(request.user)


@sync_and_async_middleware
def require_own_password(get_response: GetResponse) -> GetResponse:
    """Sends people who signed in with a one-time password to the page where they choose their own, and nowhere else."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return await sync_to_async(_to_password_page)(request) or await get_response(request)
    else:

        def middleware(request):
            return _to_password_page(request) or get_response(request)

    return middleware


def _to_password_page(request: HttpRequest) -> HttpResponse | None:
    page = reverse("account_change_password")
    free = (page, reverse("account_logout"), "/media/", f"/{settings.STATIC_URL.strip('/')}/", "/healthz", "/readyz")
    if request.path_info.startswith(free):
        return None
    if not (request.user.is_authenticated and request.user.must_change_password):
        return None
    if request.htmx:
        return HttpResponseClientRedirect(page)
    if request.method == "GET":
        page += "?" + urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(page)
