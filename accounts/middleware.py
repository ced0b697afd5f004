"""What every request of a person needs: the team they work in, and a password of their own."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Team
from accounts.roles import Action
from accounts.services import ensure_personal_team, note_session

SAFE = ("GET", "HEAD")
LASTING = ("/api/", "/v1/")  # whose answers may be streams, as long as a job takes

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def current_team(get_response: GetResponse) -> GetResponse:
    """Sets `request.team`: the team that the session chose while the person is in it, otherwise their personal one.

    It is looked up when it is first used, so that a request without a team pays nothing.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
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


def greet(get_response: GetResponse) -> GetResponse:
    """Knows people again before a page: keeps when they were here, speaks the language that they chose.

    Who signed in with a one-time password is sent to the page where they choose their own, and nowhere else.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return _greet(request) or get_response(request)

    return middleware


def _greet(request: HttpRequest) -> HttpResponse | None:
    if request.path_info.startswith(("/media/", "/readyz", "/metrics")) or not request.user.is_authenticated:
        return None
    note_session(request)
    if request.method in SAFE and not request.path_info.startswith(LASTING):
        request.user.keep_roles()
    if request.user.language in dict(settings.LANGUAGES):
        translation.activate(request.user.language)
        request.LANGUAGE_CODE = request.user.language
    return _to_password_page(request) if request.user.must_change_password else None


def _to_password_page(request: HttpRequest) -> HttpResponse | None:
    page = reverse("account_change_password")
    if request.path_info.startswith((page, reverse("account_logout"))):
        return None
    if request.htmx:
        return HttpResponseClientRedirect(page)
    if request.method == "GET":
        page += "?" + urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(page)
