"""Makes the first administrator, with a one-time password."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.models import User
from accounts.services import Refused, create_person, give_one_time_password


class Command(BaseCommand):
    """Prints two lines that are part of the outside contract; nothing where there is an administrator already."""

    help = __doc__

    def handle(self, *args, **options) -> None:
        """The address is ADMIN_EMAIL. CommandError when nobody could sign in with it, or somebody else does."""
        if User.objects.filter(is_superuser=True, is_active=True).exists():
            return
        try:
            validate_email(settings.ADMIN_EMAIL)
            user = create_person(email=settings.ADMIN_EMAIL, is_staff=True, is_superuser=True)
        except ValidationError as error:
            raise CommandError(f"ADMIN_EMAIL={settings.ADMIN_EMAIL} is not an e-mail address") from error
        except Refused as refusal:
            raise CommandError(f"{refusal} Choose another ADMIN_EMAIL for the administrator.") from refusal
        self.stdout.write(f"Administrator e-mail: {user.email}")
        self.stdout.write(f"One-time password: {give_one_time_password(user=user)}")
