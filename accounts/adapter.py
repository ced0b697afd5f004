"""What we change of allauth."""

from functools import partial

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from accounts.live import publish_access_changed
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed; a person comes back to the team they left; sockets learn when a session ends."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never by the public page: people come by invitation."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Opens the session in the team that the person worked in last."""
        super().login(request, user)
        if user.last_team_id:
            request.session["team"] = str(user.last_team_id)

    def logout(self, request: HttpRequest) -> None:
        """Ends the session, and what other pages of it still show live."""
        user_id = request.user.pk
        super().logout(request)
        transaction.on_commit(partial(publish_access_changed, user_id))

    def set_password(self, user: User, password: str) -> None:
        """A password that the person chose: a one-time password is now over, and so is every other session."""
        user.must_change_password = False
        super().set_password(user, password)
        transaction.on_commit(partial(publish_access_changed, user.pk))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where to go after it, unless the form was on the way to somewhere."""
        return reverse("accounts:profile")
