"""What stands still because somebody said so."""

from generator.models import Hold, Job, State

WIDEST_FIRST = (Hold.Scope.EVERYTHING, Hold.Scope.TEAM, Hold.Scope.PERSON)


def holds_on_jobs() -> list[Hold]:
    """All that keep jobs from being claimed, of everybody, the widest first; what holds a worker is none of them."""
    holds = Hold.objects.filter(scope__in=WIDEST_FIRST).prefetch_related("team", "user", "by")
    return sorted(holds, key=lambda hold: WIDEST_FIRST.index(Hold.Scope(hold.scope)))


def holds_on(job: Job, among: list[Hold] | None = None) -> list[Hold]:
    """The holds that keep a waiting job from being claimed, the widest first; `among`: those that were read already."""
    return [hold for hold in (holds_on_jobs() if among is None else among) if _is_on(hold, job)]


def _is_on(hold: Hold, job: Job) -> bool:
    if hold.scope == Hold.Scope.EVERYTHING:
        return True
    return hold.team_id == job.team_id and hold.user_id in (None, job.owner_id)


def is_drained() -> bool:
    """Whether everything is held and nothing runs any more: the moment for a deployment."""
    held = Hold.objects.filter(scope=Hold.Scope.EVERYTHING).exists()
    return held and not Job.objects.filter(state=State.RUNNING).exists()
