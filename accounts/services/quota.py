"""Quotas: what each person may have made in a day."""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.models import Team, Usage, User
from accounts.prepared import Prepared
from accounts.services.refused import Refused


class QuotaExceeded(Refused):
    """More pictures were asked for than are `left` of the day's `limit`."""

    def __init__(self, *, left: int, limit: int) -> None:
        """Words the refusal: how many are left today, and of how many."""
        self.left, self.limit = left, limit
        super().__init__(
            ngettext(
                "You have %(left)d of %(limit)d picture left today. Ask for fewer, or come back tomorrow.",
                "You have %(left)d of %(limit)d pictures left today. Ask for fewer, or come back tomorrow.",
                limit,
            )
            % {"left": left, "limit": limit}
        )


def left_today(user: User) -> int:
    """How many pictures `user` may still ask for today, over all teams."""
    return max(0, daily_limit(user) - used_today(user))


def used_today(user: User) -> int:
    """How many pictures `user` has asked for today, over all teams."""
    return _used(user, timezone.localdate())


def charge(*, user: User, team: Team, pictures: int) -> date:
    """Books `pictures` on today's ledger and returns the day, which `refund` needs. QuotaExceeded books nothing.

    The person's row is locked until the caller's transaction ends, so that two requests cannot spend the same rest.
    """
    day = timezone.localdate()
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        left = max(0, daily_limit(locked) - _used(locked, day))
        if pictures > left:
            raise QuotaExceeded(left=left, limit=daily_limit(locked))
        Usage.objects.update_or_create(
            user=locked,
            team=team,
            day=day,
            defaults={"pictures": F("pictures") + pictures},
            create_defaults={"pictures": pictures},
        )
    return day


def refund(*, user: User, team: Team, pictures: int, day: date) -> None:
    """Gives back what was charged on `day` for pictures that were never delivered."""
    Usage.objects.filter(user=user, team=team, day=day).update(pictures=Greatest(F("pictures") - pictures, 0))


def daily_limit(user: User) -> int:
    """How many pictures a day `user` may ask for: their own number, or the installation's."""
    own = user.pictures_per_day
    return settings.PICTURES_PER_DAY if own is None else own


def _used(user: User, day: date) -> int:
    return sum(_OF_DAY.rows(user=user, day=day))


_OF_DAY: Prepared[int] = Prepared(
    lambda user, day: Usage.objects.filter(user=user, day=day).order_by().values_list("pictures", flat=True),
    user=User,
    day=date,
)
