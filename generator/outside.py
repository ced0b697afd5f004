"""What webhooks are told about jobs. A job that is private to its person is told to nobody."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from accounts import services as people
from accounts.models import Delivery, Webhook, WebhookEvent
from gallery.models import Media
from generator.models import Job, State, Training

log = logging.getLogger(__name__)

TYPES = {State.DONE: WebhookEvent.JOB_DONE, State.FAILED: WebhookEvent.JOB_FAILED}
MISSED = timedelta(days=1)  # how far back it is looked for ends that nobody was told of


def tell_end(job: Job) -> None:
    """Tells the team's webhooks that `job` is done or has failed. A database that is away is no reason to fail."""
    if job.state in TYPES and job.visibility != Media.Visibility.PRIVATE:
        try:
            _emit(job)
        except Exception:
            log.warning("the end of job %s is not told to webhooks yet", job.pk, exc_info=True)


def _emit(job: Job) -> None:
    is_training = job.kind == Job.Kind.TRAIN and job.state == State.DONE
    kind = WebhookEvent.TRAINING_DONE if is_training else TYPES[State(job.state)]
    people.emit(team=job.team_id, kind=kind, event=_name(job), data=partial(_data, job), at=job.finished)


def _data(job: Job) -> dict[str, Any]:
    media = Media.objects.kept().filter(job=job.pk).order_by("index").values_list("pk", flat=True)
    return {
        "job": str(job.pk),
        "kind": job.kind,
        "state": job.state,
        "prompt": job.generation.prompt if hasattr(job, "generation") else "",
        "team": str(job.team_id),
        "owner": {"id": job.owner_id, "name": str(job.owner)},
        "batch": str(job.batch_id) if job.batch_id else None,
        "media": [str(pk) for pk in media],
        "training": _training(job),
        "reason": job.reason,
        "created": job.created.isoformat(),
        "finished": job.finished.isoformat() if job.finished else None,
    }


def _training(job: Job) -> dict[str, str] | None:
    training = Training.objects.filter(job=job.pk).first() if job.kind == Job.Kind.TRAIN else None
    return {"id": str(training.pk), "name": training.name} if training else None


def _name(job: Job) -> str:
    return f"job:{job.pk.hex}"


def tell_missed() -> int:
    """Tells what a process that died in the wrong moment left untold; how many. Each end is told once."""
    hooks = Webhook.objects.filter(is_enabled=True)
    told = 0
    for team in set(hooks.values_list("team", flat=True)):
        since = max(hooks.filter(team=team).earliest("created").created, timezone.now() - MISSED)
        known = set(Delivery.objects.filter(webhook__team=team, created__gte=since).values_list("event", flat=True))
        ended = Job.objects.filter(team=team, state__in=TYPES, finished__gte=since)
        for job in ended.exclude(visibility=Media.Visibility.PRIVATE).select_related("owner", "generation"):
            if _name(job) not in known:
                tell_end(job)
                told += 1
    return told
