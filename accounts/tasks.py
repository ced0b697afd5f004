"""Celery tasks about people and teams, each a few lines. They run in the light queue."""

from celery import shared_task

from accounts import services


@shared_task(name="atelier.webhooks")
def webhooks() -> None:
    """Tells webhooks what has happened, and those again that did not answer."""
    services.deliver_due()
