"""Looking after the counts that claims rely on."""

import logging

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from generator.models import Job, QueueLane, State

log = logging.getLogger(__name__)

KEY = ("account", "kind", "family", "memory", "loads")


def audit() -> int:
    """Counts the waiting jobs anew and corrects lanes that say otherwise. Returns how many did: 0 unless rows were
    changed past Job.move.

    Each comparison is one statement, which sees jobs and counts as of one moment, and a correction is a difference: so
    whoever moves jobs meanwhile is not disturbed.
    """
    here = Job.objects.filter(state=State.QUEUED, **{name: OuterRef(name) for name in KEY}).order_by()
    counted = Subquery(here.values("account").annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    drifted = list(QueueLane.objects.annotate(drift=Coalesce(counted, 0) - F("waiting")).exclude(drift=0))
    for lane in drifted:
        QueueLane.objects.filter(pk=lane.pk).update(waiting=F("waiting") + lane.drift)
    lanes = QueueLane.objects.filter(**{name: OuterRef(name) for name in KEY}).values("pk")[:1]
    unknown = Job.objects.filter(state=State.QUEUED).order_by().annotate(lane_id=Subquery(lanes)).filter(lane_id=None)
    missing = list(unknown.values(*KEY).annotate(n=Count("pk")))
    for row in missing:
        count = row.pop("n")
        with transaction.atomic():
            QueueLane.objects.count_waiting(count, account_id=row.pop("account"), **row)
    QueueLane.objects.filter(waiting=0).delete()
    if changed := len(drifted) + len(missing):
        log.warning("%d counts of waiting jobs were wrong and have been corrected", changed)
    return changed
