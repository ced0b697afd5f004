"""What is left of the day, and of what a role allows, for the caller and in each of their teams."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema

from accounts.models import Membership, Usage
from accounts.roles import LIMITS, Role
from accounts.services import daily_limit, left_today, used_today
from generator import queue

router = Router(tags=["people"])


class TeamQuotaOut(Schema):
    """How one stands in a team."""

    team: UUID
    name: str
    role: Role
    pictures_today: int = Field(description="the caller's, in this team")
    pictures_today_by_all: int
    waiting_limit: int | None = Field(description="jobs of the caller that may wait here; null: any number")
    waiting_left: int | None
    running_limit: int | None = Field(description="jobs of the caller that may run at once; null: any number")


class QuotasOut(Schema):
    """The day's pictures count over all teams, and come back at midnight of the installation."""

    pictures_per_day: int
    pictures_today: int
    pictures_left_today: int
    resets: datetime
    teams: list[TeamQuotaOut]


@router.get("/quotas", response=QuotasOut, summary="What is left")
def quotas(request: HttpRequest) -> QuotasOut:
    """Of the caller's pictures today, and of what their role allows in each team."""
    user = request.user
    memberships = Membership.objects.filter(user=user).select_related("team").order_by("team__name", "team")
    today = Usage.objects.filter(day=timezone.localdate(), team__in=[one.team_id for one in memberships])
    mine = dict(today.filter(user=user).values_list("team", "pictures"))
    everybodys: dict[UUID, int] = {}
    for team, pictures in today.values_list("team", "pictures"):
        everybodys[team] = everybodys.get(team, 0) + pictures
    return QuotasOut(
        pictures_per_day=daily_limit(user),
        pictures_today=used_today(user),
        pictures_left_today=left_today(user),
        resets=timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=1), time.min)),
        teams=[
            TeamQuotaOut(
                team=one.team_id,
                name=one.team.name,
                role=Role(one.role),
                pictures_today=mine.get(one.team_id, 0),
                pictures_today_by_all=everybodys.get(one.team_id, 0),
                waiting_limit=LIMITS[Role(one.role)].queued,
                waiting_left=queue.room_for(team=one.team, user=user),
                running_limit=LIMITS[Role(one.role)].running,
            )
            for one in memberships
        ],
    )
