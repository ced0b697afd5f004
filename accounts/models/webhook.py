"""Webhooks: addresses of a team's own that are told what happens, and what became of each message."""

import secrets
import uuid
from base64 import b64encode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.team import Team


class WebhookEvent(models.TextChoices):
    """What may be told. The values are the `type` of a message."""

    JOB_DONE = "job.done", _("Pictures are done")
    JOB_FAILED = "job.failed", _("A job has failed")
    REVIEW_DECIDED = "review.decided", _("A review was decided")
    TRAINING_DONE = "training.done", _("A training is done")


def new_secret() -> str:
    """192 random bits in the form that Standard Webhooks names: whsec_ and base64."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


class Webhook(models.Model):
    """One address that a team has told about some kinds of events."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="webhooks", verbose_name=_("team"))
    url = models.URLField(_("address"), max_length=500)
    secret = models.CharField(max_length=80, default=new_secret, editable=False)  # signs, so it cannot be a hash
    events = models.JSONField(_("events"), default=list)
    is_enabled = models.BooleanField(_("switched on"), default=True)
    note = models.CharField(_("note"), max_length=300, blank=True, editable=False)  # why it was switched off by itself
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["created"]

    def __str__(self) -> str:
        return self.url

    @property
    def event_labels(self) -> list[str]:
        """The events in words."""
        return [str(WebhookEvent(event).label) for event in self.events if event in WebhookEvent.values]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by whether they still have to be made."""

    def due(self) -> "DeliveryQuerySet":
        """Those whose next try is now or was before."""
        now = timezone.now()
        return self.filter(state=Delivery.State.WAITING, next_try__lte=now, webhook__is_enabled=True)


class Delivery(models.Model):
    """One message to one webhook. `event` names what happened: the same is never told twice to the same address."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    event = models.CharField(max_length=120)
    type = models.CharField(_("event"), max_length=30, choices=WebhookEvent)
    body = models.TextField(_("message"))  # byte for byte what is sent each time, because it is signed
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try = models.DateTimeField(_("next try"), default=timezone.now)
    status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    answer = models.CharField(_("what came back"), max_length=500, blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    delivered = models.DateTimeField(_("delivered"), null=True, blank=True)
    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created", "-id"]
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="told_once")]
        indexes = [
            models.Index(fields=["next_try"], name="delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=["webhook", "-created"], name="delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.type} → {self.webhook}"
