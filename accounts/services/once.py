"""Asking twice and getting it once: the `Idempotency-Key` of the API."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Answered, User
from accounts.services.refused import Refused

KEPT = timedelta(hours=24)


def once(*, user: User, key: str | None, asked: bytes, make: Callable[[], str]) -> str:
    """The id of what `make` makes; for a `key` that was used before, of what was made then, and nothing anew.

    `asked` is the request as it came. Refused when the key was used for another one. Both are written together: when
    `make` raises, the key stays free. A second request meanwhile waits for the first at the database.
    """
    if not key:
        return make()
    fingerprint = hashlib.sha256(asked).hexdigest()
    try:
        with transaction.atomic():
            answered = Answered.objects.create(user=user, key=key, fingerprint=fingerprint, made="")
            answered.made = make()
            answered.save(update_fields=["made"])
            return answered.made
    except IntegrityError:
        before = Answered.objects.filter(user=user, key=key).first()
        if before is None:  # what failed was something else
            raise
    if before.fingerprint != fingerprint:
        raise Refused(_("This Idempotency-Key was used for another request. Send a new one."))
    return before.made


def forget_answers() -> None:
    """Lets keys go that are older than a day."""
    Answered.objects.filter(created__lt=timezone.now() - KEPT).delete()
