"""Makes an API key for a person and prints it, and nothing else: it is part of the outside contract."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiKey, User
from accounts.services import Refused, create_api_key


class Command(BaseCommand):
    """For scripts that set up scripts. The key is shown this once."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose key, and which."""
        parser.add_argument("email", help="the person whom the key acts for")
        parser.add_argument("--name", default="Command line", help="what it is called on the account page")
        parser.add_argument("--scope", choices=ApiKey.Scope.values, default=ApiKey.Scope.WRITE.value)
        parser.add_argument("--days", type=int, help="how long it is valid; without it the key does not expire")

    def handle(self, *, email: str, name: str, scope: str, days: int | None, **options: object) -> None:
        """CommandError for an unknown or switched-off person, and for a number of days that is not positive."""
        user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody with the address {email} may sign in")
        if days is not None and days < 1:
            raise CommandError("--days takes a number from 1")
        try:
            _key, token = create_api_key(user=user, name=name, scope=scope, days=days)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(token)
