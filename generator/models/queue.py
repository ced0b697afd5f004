"""Whose turn it is: the tree of shares (urgency, team, person) and what waits at its leaves.

Every node is served in proportion to its share by cost, see generator/queue/shares.py. `virtual_time` is what a node
was charged so far over its share; `present` is where service stands among its children. Rows come with the first job.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Subquery
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from generator.models.plain import greatest, say


class QueueClass(models.Model):
    """All jobs of one urgency (Job.Urgency). Their shares are settings.QUEUE_SHARES."""

    urgency = models.PositiveSmallIntegerField(primary_key=True)
    virtual_time = models.FloatField(default=0.0)
    started = models.FloatField(default=0.0)  # virtual time at its last claim; the greatest of all is their present
    present = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return str(self.urgency)


class QueueTeam(models.Model):
    """All jobs of one team and urgency. Its share is Team.share."""

    queue_class = models.ForeignKey(QueueClass, models.CASCADE, related_name="teams")
    team = models.ForeignKey(Team, models.CASCADE, related_name="queue_teams")
    virtual_time = models.FloatField(default=0.0)
    present = models.FloatField(default=0.0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue_class", "team"], name="one_queue_team_each")]

    def __str__(self) -> str:
        return f"{self.queue_class_id} · {self.team}"


class QueueAccountQuerySet(models.QuerySet["QueueAccount"]):
    """Accounts by whose turn it is."""

    def in_turn(self) -> "QueueAccountQuerySet":
        """The next to be served first, by urgency, then team, then person. Each has its virtual times at a start now:
        `class_turn`, `team_turn` and `turn`, never before the present, so that nobody saves up credit while resting."""
        latest = QueueClass.objects.order_by("-started").values("started")[:1]
        team = "queue_team"
        return self.annotate(
            class_turn=Greatest(f"{team}__queue_class__virtual_time", Subquery(latest)),
            team_turn=Greatest(f"{team}__virtual_time", f"{team}__queue_class__present"),
            turn=Greatest("virtual_time", f"{team}__present"),
            team_share=F(f"{team}__team__share"),
            urgency=F(f"{team}__queue_class"),
        ).order_by("class_turn", "urgency", "team_turn", f"{team}__virtual_time", team, "turn", "virtual_time", "pk")


class QueueAccount(models.Model):
    """All jobs of one person in a team and urgency, in the order of Job.position. Its share is Membership.share."""

    queue_team = models.ForeignKey(QueueTeam, models.CASCADE, related_name="accounts")
    team = models.ForeignKey(Team, models.CASCADE, related_name="queue_accounts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="queue_accounts")
    virtual_time = models.FloatField(_("virtual time"), default=0.0)
    objects = QueueAccountQuerySet.as_manager()

    # What `in_turn` and a claim annotate.
    class_turn: float
    team_turn: float
    turn: float
    team_share: int
    urgency: int
    first: UUID | str  # the next job, as the database writes it
    first_due: bool  # was passed over as often or as long as any job may be
    first_is_wanted: bool  # the worker has loaded what it needs, or it can join another
    has_wanted: bool  # something of it waits that is so
    role: str | None  # of the person in the team
    share: int | None

    class Meta:
        verbose_name = _("queue account")
        verbose_name_plural = _("queue accounts")
        constraints = [models.UniqueConstraint(fields=["queue_team", "user"], name="one_queue_account_each")]

    def __str__(self) -> str:
        return f"{self.team} · {self.user}"

    def charge(self, cost: float, *, share: int) -> None:
        """The person, the team and the urgency pay for a claim. `self` comes from `in_turn()`.

        The rows that all claims write come last, so that they are held for the shortest time.
        """
        paid = {
            "turn": self.turn,
            "team_turn": self.team_turn,
            "class_turn": self.class_turn,
            "cost": cost / share,
            "team_cost": cost / self.team_share,
            "class_cost": cost / settings.QUEUE_SHARES[self.urgency],
            "account": self.pk,
            "team": self.queue_team_id,
            "class": self.urgency,
        }
        say([update.format(greatest=greatest()) for update in CHARGES], paid)

    def give_back(self, cost: float) -> None:
        """What was charged for a job and not served."""
        above = QueueTeam.objects.select_related("team").get(pk=self.queue_team_id)
        share = self.team.memberships.filter(user=self.user_id).values_list("share", flat=True).first() or 1
        QueueAccount.objects.filter(pk=self.pk).update(virtual_time=F("virtual_time") - cost / share)
        QueueTeam.objects.filter(pk=above.pk).update(virtual_time=F("virtual_time") - cost / above.team.share)
        QueueClass.objects.filter(pk=above.queue_class_id).update(
            virtual_time=F("virtual_time") - cost / settings.QUEUE_SHARES[above.queue_class_id]
        )


class QueueLaneQuerySet(models.QuerySet["QueueLane"]):
    """Counting what waits."""

    def count_waiting(self, by: int, **lane: Any) -> None:
        """`by` more (or fewer) jobs wait in the lane with these fields. In the transaction that moves the jobs."""
        if self._count(by, lane):
            return
        try:
            with transaction.atomic():
                self.create(**lane, waiting=by)
        except IntegrityError:  # two jobs opened it at once
            self._count(by, lane)

    def _count(self, by: int, lane: dict[str, Any]) -> bool:
        return say([COUNT], {**lane, "by": by}) > 0


class QueueLane(models.Model):
    """The waiting jobs of one account that ask the same of a worker, counted, so that a claim need not look at jobs."""

    account = models.ForeignKey(QueueAccount, models.CASCADE, related_name="lanes")
    kind = models.CharField(max_length=10)
    family = models.CharField(max_length=40, blank=True)
    memory = models.PositiveIntegerField(default=0)
    loads = models.CharField(max_length=120, blank=True)
    waiting = models.IntegerField(default=0)
    objects = QueueLaneQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "family", "memory", "loads"], name="one_queue_lane_each")
        ]

    def __str__(self) -> str:
        return f"{self.account} · {self.kind} · {self.loads}: {self.waiting}"


COUNT = """UPDATE generator_queuelane
    SET waiting = waiting + %(by)s
    WHERE account_id = %(account_id)s AND kind = %(kind)s AND family = %(family)s
        AND memory = %(memory)s AND loads = %(loads)s"""
CHARGES = (
    """UPDATE generator_queueaccount
        SET virtual_time = {greatest}(virtual_time, %(turn)s) + %(cost)s
        WHERE id = %(account)s""",
    """UPDATE generator_queueteam
        SET virtual_time = {greatest}(virtual_time, %(team_turn)s) + %(team_cost)s,
            present = {greatest}(present, %(turn)s)
        WHERE id = %(team)s""",
    """UPDATE generator_queueclass
        SET virtual_time = {greatest}(virtual_time, %(class_turn)s) + %(class_cost)s,
            started = {greatest}(started, %(class_turn)s),
            present = {greatest}(present, %(team_turn)s)
        WHERE urgency = %(class)s""",
)
