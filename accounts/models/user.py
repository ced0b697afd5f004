"""A person, known by e-mail address."""

from uuid import UUID

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.prepared import Prepared


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        """A new person; `password` None leaves the account without one. ValueError without an address."""
        if not email:
            raise ValueError("A person needs an e-mail address")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        """A person who may use the admin."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, email: str | None) -> "User":
        """Addresses are compared without regard to case."""
        return self.get(email__iexact=email)


class User(AbstractUser):
    """A person who signs in with an e-mail address."""

    class Theme(models.TextChoices):
        """Which colours the pages take."""

        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    username = None
    first_name = None
    last_name = None
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("Empty: the one that the browser asks for.")
    )
    must_change_password = models.BooleanField(
        _("must change password"),
        default=False,
        help_text=_("Set with a one-time password; the next sign-in asks for a new one."),
    )
    pictures_per_day = models.PositiveIntegerField(
        _("pictures a day"), null=True, blank=True, help_text=_("Empty: the installation's default. 0: none.")
    )

    # Where the next sign-in begins; the team that a request works in is the session's, see accounts.middleware.
    last_team = models.ForeignKey("accounts.Team", models.SET_NULL, null=True, editable=False, related_name="+")

    keeps_roles = False

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []
    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name, or the address of a person without one."""
        return str(self)

    def keep_roles(self) -> None:
        """Reads this person's roles once, for a page that only shows and is done at once.

        Never where something is changed, nor for a socket or a stream, which would outlive them.
        """
        self.keeps_roles = True

    @property
    def kept_roles(self) -> dict[UUID, str] | None:
        """By team, read when they are first asked for; None where they are read each time."""
        return self._roles if self.keeps_roles else None

    @cached_property
    def _roles(self) -> dict[UUID, str]:
        return dict(_ROLES.rows(user=self))

    def get_short_name(self) -> str:
        """The first word of the name, or what stands before the @."""
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]

    @property
    def initials(self) -> str:
        """One or two letters for the round badge."""
        words = (self.name or self.email.split("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in (words[0], *words[-1:])[: 2 if len(words) > 1 else 1]).upper()


_ROLES: Prepared[tuple[UUID, str]] = Prepared(
    lambda user: user.memberships.order_by().values_list("team", "role"), user=User
)
