"""What we change of allauth."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed: people come by invitation."""

    def is_open_for_signup(self, request) -> bool:
        """Never by the public page."""
        return False
