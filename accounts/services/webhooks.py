"""Webhooks: made and changed by a team's managers, told what happens, tried again until they answer.

Messages and their signatures follow Standard Webhooks 1.0 (standardwebhooks.com): `webhook-id` stays the same however
often a message is sent, the signature is HMAC-SHA256 over "id.timestamp.body".
"""

import hashlib
import hmac
import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import outbound
from accounts.models import Delivery, Team, User, Webhook, WebhookEvent
from accounts.models.webhook import new_secret
from accounts.permissions import can
from accounts.roles import Action
from accounts.services.refused import Refused

log = logging.getLogger(__name__)

MOST = 20  # webhooks of one team
LOG_DAYS = 30
TAKEN = timedelta(seconds=60)  # how long a delivery is nobody else's once it was begun; longer than any request lasts
AT_ONCE = 8
TASK = "atelier.webhooks"


def _check(user: User, team: Team) -> None:
    if not can(user, Action.AUTOMATE, team):
        raise PermissionDenied


def create_webhook(*, user: User, team: Team, url: str, events: Iterable[str]) -> Webhook:
    """A new one. Refused for an address that leads nowhere public, and for more of them than anybody needs."""
    _check(user, team)
    if team.webhooks.count() >= MOST:
        raise Refused(_("A team has at most %(n)d webhooks. Delete one first.") % {"n": MOST})
    try:
        outbound.Target(url).resolve()
    except outbound.Unreachable as error:
        raise Refused(str(error)) from error
    return Webhook.objects.create(team=team, url=url, events=sorted(events), created_by=user)


def change_webhook(*, user: User, webhook: Webhook, is_enabled: bool) -> None:
    """Switches it on or off. What happened while it was off is not told afterwards; what waited is tried at once."""
    _check(user, webhook.team)
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(is_enabled=is_enabled, note="")
        if is_enabled:
            webhook.deliveries.filter(state=Delivery.State.WAITING).update(next_try=timezone.now())
            transaction.on_commit(wake)


def renew_secret(*, user: User, webhook: Webhook) -> str:
    """Another secret, shown this once; from now on messages are signed with it."""
    _check(user, webhook.team)
    webhook.secret = new_secret()
    webhook.save(update_fields=["secret"])
    return webhook.secret


def delete_webhook(*, user: User, webhook: Webhook) -> None:
    """Takes it away, its log too."""
    _check(user, webhook.team)
    webhook.delete()


def redeliver(*, user: User, delivery: Delivery) -> None:
    """Sends a message again, whatever became of it: the receiver sees the same id."""
    _check(user, delivery.webhook.team)
    with transaction.atomic():
        again = {"state": Delivery.State.WAITING, "attempts": 0, "next_try": timezone.now()}
        Delivery.objects.filter(pk=delivery.pk).update(**again)
        transaction.on_commit(wake)


def send_test(*, user: User, webhook: Webhook) -> None:
    """A message of the first kind that it listens to, made up, so that a receiver can be tried."""
    _check(user, webhook.team)
    kind = webhook.events[0] if webhook.events else WebhookEvent.JOB_DONE.value
    with transaction.atomic():
        _write([webhook], kind, f"test:{uuid4()}", {"test": True, "team": str(webhook.team_id)}, timezone.now())


def emit(*, team: UUID, kind: str, event: str, data: Callable[[], dict[str, Any]], at: datetime | None = None) -> None:
    """Tells the webhooks of `team` that want it. `event` names what happened: telling it again changes nothing.

    `data` is asked for only where one wants it.
    """
    hooks = [hook for hook in Webhook.objects.filter(team=team, is_enabled=True) if kind in hook.events]
    if hooks:
        with transaction.atomic():
            _write(hooks, kind, event, data(), at or timezone.now())


def _write(hooks: list[Webhook], kind: str, event: str, data: dict[str, Any], at: datetime) -> None:
    body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)
    rows = [Delivery(webhook=hook, event=event, type=kind, body=body) for hook in hooks]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(wake)


def wake() -> None:
    """Lets a worker of the light queue look at once; without one, the clock does so soon."""
    from celery import current_app

    try:
        current_app.send_task(TASK, expires=60, ignore_result=True, retry=False)
    except Exception:
        log.warning("could not wake the sender of webhooks", exc_info=True)


def deliver_due() -> int:
    """Sends what is due; how many messages arrived. Webhooks are served side by side, each in its own order."""
    hooks = list(Delivery.objects.due().order_by("webhook").values_list("webhook", flat=True).distinct()[:200])
    if connection.in_atomic_block:  # a test's; its rows exist for no other connection
        return sum(_serve(hook) for hook in hooks)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        return sum(pool.map(_serve_apart, hooks))


def _serve_apart(hook: UUID) -> int:
    try:
        return _serve(hook)
    finally:
        close_old_connections()
        connection.close()


def _serve(hook: UUID) -> int:
    """What is due at one webhook, the oldest first, until one fails."""
    arrived = 0
    for delivery in Delivery.objects.due().filter(webhook=hook).select_related("webhook").order_by("created")[:100]:
        taken = Delivery.objects.due().filter(pk=delivery.pk, next_try=delivery.next_try)
        if not taken.update(next_try=timezone.now() + TAKEN, attempts=F("attempts") + 1):
            break  # somebody else serves this webhook
        delivery.attempts += 1
        if not _deliver(delivery):
            break
        arrived += 1
    return arrived


def _deliver(delivery: Delivery) -> bool:
    status, text = None, ""
    try:
        body = delivery.body.encode()
        answer = outbound.post(delivery.webhook.url, body, headers_for(delivery.webhook, delivery.pk, body))
        status, text = answer.status, answer.text
    except outbound.Unreachable as error:
        text = str(error)
    told = {"status": status, "answer": text.replace("\0", "")[:500]}
    if status is not None and 200 <= status < 300:
        now = timezone.now()
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.DELIVERED, delivered=now, **told)
        return True
    if status == 410:  # Gone: the receiver wants no more
        _switch_off(delivery.webhook, _("The receiver answered that it is gone (410)."))
    pauses = settings.WEBHOOK_RETRY_SECONDS
    if delivery.attempts > len(pauses):
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.FAILED, **told)
        return False
    later = timezone.now() + timedelta(seconds=pauses[delivery.attempts - 1])
    # Whatever waits behind it waits as long: messages of one webhook keep their order while it is away.
    delivery.webhook.deliveries.due().update(next_try=later)
    Delivery.objects.filter(pk=delivery.pk).update(next_try=later, **told)
    return False


def headers_for(webhook: Webhook, message: UUID, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """What signs one message (Standard Webhooks 1.0, "Signature scheme")."""
    stamp = str(int((at or timezone.now()).timestamp()))
    signed = b".".join([f"msg_{message.hex}".encode(), stamp.encode(), body])
    secret = b64decode(webhook.secret.removeprefix("whsec_"))
    signature = b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": f"msg_{message.hex}",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }


def _switch_off(webhook: Webhook, note: str) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(is_enabled=False, note=note)


def forget_deliveries() -> None:
    """Lets the log of what is over go after a month."""
    over = Delivery.objects.exclude(state=Delivery.State.WAITING)
    over.filter(created__lt=timezone.now() - timedelta(days=LOG_DAYS)).delete()
