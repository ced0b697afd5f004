"""What a script has already had made: so that asking twice makes it once."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Answered(models.Model):
    """One use of an `Idempotency-Key` by one person: what was asked (as a hash) and what was made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    made = models.CharField(max_length=64)  # the id of what came of it
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="answered_once")]

    def __str__(self) -> str:
        return self.key
