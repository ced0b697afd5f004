"""Celery tasks of keeping, each a few lines. None of them needs a large model: they run in the light queue."""

from uuid import UUID

from celery import shared_task
from django.db import DatabaseError

from gallery import services


@shared_task(
    name=services.DERIVE,
    autoretry_for=(OSError, DatabaseError),
    retry_backoff=2,
    max_retries=4,
)
def derive(pks: list[str]) -> None:
    """Makes the smaller versions of pictures that have just come in."""
    for pk in pks:
        services.derive_media(pk=UUID(pk))


@shared_task(name="atelier.derive_missing")
def derive_missing() -> None:
    """Makes those of pictures that were left out: their task was lost, or they are older than it."""
    services.derive_missing(seconds=60)


@shared_task(name="atelier.letters")
def letters() -> None:
    """Tells people by e-mail what they have not seen in the page."""
    services.send_letters()


@shared_task(name=services.DELIVER)
def deliver() -> None:
    """Prepares exports and takes uploaded files in, until none waits."""
    services.drain_deliveries()


@shared_task(name=services.WEIGH)
def weigh(token: str) -> None:
    """Says how large the first crops of an export would be."""
    services.weigh(token)


# A worker without the packages that read texts says so in one line; pages search words then.
@shared_task(name=services.UNDERSTAND, throws=(ImportError,))
def understand(pks: list[str]) -> None:
    """Makes the prompts of pictures that have just come in findable by meaning."""
    services.understand(pks=[UUID(pk) for pk in pks])


@shared_task(name="atelier.understand_missing", throws=(ImportError,))
def understand_missing() -> None:
    """Does so for those that were left out."""
    services.understand_missing(seconds=60)


@shared_task(name=services.ALIKE, throws=(ImportError,))
def alike(key: str, text: str, media: str) -> None:
    """Says what is like a text or like a picture."""
    services.answer_alike(key=key, text=text, media=UUID(media) if media else None)
