"""Asking for a data set: what it would hold, and what of it can be compared."""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Action
from gallery import services as gallery
from gallery.models import Export, Media
from generator.diffusion.train import pdq
from generator.models import Batch, Generation, State
from generator.services.datasets.origins import Origin, origins_of
from generator.services.refused import Refused

KIND = "data set"  # as exporting.WRITERS knows it
# Bits of 256 by which a picture differs from every training picture, or stays out. A copy always does; of pictures that
# have nothing in common about half of the bits differ, and beyond the most hardly any would be left.
LEAST = USUAL = pdq.DUPLICATE + 1
MOST = 96


@dataclass(frozen=True)
class Offer:
    """What a data set of a batch would be made of."""

    pictures: int
    origins: list[Origin]


def offer(*, user: User, batch: Batch) -> Offer | None:
    """None while the batch is not finished, has no picture that `user` sees, or belongs to others."""
    if not can(user, Action.VIEW, batch.team) or batch.jobs.unfinished().exists():
        return None
    count = _media_of(batch, user).count()
    return Offer(count, origins_of(_done_of(batch))) if count else None


def export_data_set(*, user: User, batch: Batch, bound: int = USUAL, name: str = "") -> Export:
    """Puts it in line for a worker. bound: in how many bits a picture must differ from every training picture.

    Raises PermissionDenied for those who do not see the batch, Refused while it is unfinished or for another bound.
    """
    if not can(user, Action.VIEW, batch.team) or not Batch.objects.visible_to(user).filter(pk=batch.pk).exists():
        raise PermissionDenied
    if not LEAST <= bound <= MOST:
        says = _(
            "Pictures stay out that differ in fewer than so many of 256 bits: a number from %(least)d to %(most)d."
        )
        raise Refused(says % {"least": LEAST, "most": MOST})
    if batch.jobs.unfinished().exists():
        raise Refused(_("Wait until the batch has ended, or cancel what is left of it."))
    total = _media_of(batch, user).count()
    if not total:
        raise Refused(_("None of its pictures is left."))
    wishes = {"kind": KIND, "batch": str(batch.pk), "bound": bound}
    called = name.strip() or _("%(batch)s (data set)") % {"batch": batch.name}
    return gallery.enter_export(user=user, team=batch.team, name=called, wishes=wishes, total=total)


def pictures_of(batch: Batch, user: User) -> list[tuple[Generation, Media]]:
    """Its finished pictures that `user` sees, in the order of its rows, each with what was asked for."""
    rows = {one.pk: one for one in _done_of(batch).order_by("job__position", "job")}
    place = {pk: number for number, pk in enumerate(rows)}
    order = sorted(_media_of(batch, user).select_related("team"), key=lambda one: (place[one.job], one.index))
    return [(rows[one.job], one) for one in order]


def _done_of(batch: Batch) -> QuerySet[Generation]:
    return Generation.objects.filter(job__in=_jobs_of(batch)).select_related("checkpoint")


def _media_of(batch: Batch, user: User) -> QuerySet[Media]:
    return Media.objects.visible_to(user).kept().filter(job__in=_jobs_of(batch))


def _jobs_of(batch: Batch) -> list[UUID]:
    return list(batch.jobs.filter(state=State.DONE, hidden=False).values_list("pk", flat=True))
