"""Whom a key or a session stands for."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from accounts.models import ApiKey, Membership, User
from accounts.prepared import Prepared
from accounts.services import daily_limit, left_today

router = Router(tags=["people"])


class PersonOut(BaseModel):
    """A person as others name them."""

    id: int
    name: str

    @classmethod
    def of(cls, user: User) -> "PersonOut":
        """Name, or the address of a person without one."""
        return cls(id=user.pk, name=str(user))


class TeamOut(BaseModel):
    """A team."""

    id: UUID
    name: str


class MyTeamOut(TeamOut):
    """A team that the person is in, and as what."""

    role: str
    is_personal: bool


class KeyOut(BaseModel):
    """The key that the request came with."""

    name: str
    scope: str
    expires: datetime | None


class MeOut(BaseModel):
    """The person, their teams, and what is left of the day."""

    id: int
    email: str
    name: str
    is_staff: bool
    teams: list[MyTeamOut]
    pictures_per_day: int
    pictures_left_today: int
    key: KeyOut | None


_MEMBERSHIPS: Prepared[Membership] = Prepared(
    lambda user: Membership.objects.filter(user=user).select_related("team"), user=User
)


@router.get("/me", response=MeOut, summary="Who am I?")
def me(request: HttpRequest) -> MeOut:
    """The person behind the key or the session."""
    user = request.user
    return MeOut(
        id=user.pk,
        email=user.email,
        name=user.name,
        is_staff=user.is_staff,
        teams=[
            MyTeamOut(id=m.team_id, name=m.team.name, role=m.role, is_personal=m.team.is_personal)
            for m in _MEMBERSHIPS.rows(user=user)
        ],
        pictures_per_day=daily_limit(user),
        pictures_left_today=left_today(user),
        key=_key(request.auth),
    )


def _key(auth: object) -> KeyOut | None:
    if not isinstance(auth, ApiKey):
        return None
    return KeyOut(name=auth.name, scope=auth.scope, expires=auth.expires)
