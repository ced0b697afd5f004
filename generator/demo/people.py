"""The demo's people: one of each role in Northlight, and Harbour, a second team that shares some of them."""

from dataclasses import dataclass

from accounts.models import Invitation, Membership, Team, User
from accounts.roles import Role
from accounts.services import create_person, create_team

TEAM, OTHER_TEAM = "Northlight", "Harbour"
ROLES = {
    TEAM: {
        "Mara Keller": Role.OWNER,
        "Jonas Lind": Role.MANAGER,
        "Aiko Tanaka": Role.CREATOR,
        "Priya Nair": Role.CREATOR,
        "Tomás Vega": Role.CREATOR,
        "Luis Ortega": Role.REVIEWER,
        "Ada Brandt": Role.VIEWER,
    },
    OTHER_TEAM: {"Noor Haddad": Role.OWNER, "Aiko Tanaka": Role.CREATOR, "Mara Keller": Role.VIEWER},
}
INVITED = {"sofia@northlight.example": Role.CREATOR, "print-house@northlight.example": Role.VIEWER}


@dataclass(frozen=True)
class Cast:
    """The two teams, and everybody in them by name."""

    team: Team
    other: Team
    people: dict[str, User]

    def makers(self, team: Team) -> list[User]:
        """Who draws in a team, in the order above."""
        return [
            self.people[name]
            for name, role in ROLES[team.name].items()
            if role in (Role.OWNER, Role.MANAGER, Role.CREATOR)
        ]


def address(name: str) -> str:
    """mara@northlight.example"""
    first = name.split()[0].lower().replace("á", "a")
    return f"{first}@northlight.example"


def gather(password: str | None) -> tuple[Cast, int]:
    """Everybody, made where they are missing, and how many were. With `password` all of them can sign in by it."""
    before = User.objects.count()
    people = {name: _person(name, password) for roles in ROLES.values() for name in roles}
    cast = Cast(_team(TEAM, people), _team(OTHER_TEAM, people), people)
    for administrator in User.objects.filter(is_superuser=True):
        Membership.objects.get_or_create(team=cast.team, user=administrator, defaults={"role": Role.OWNER})
        User.objects.filter(pk=administrator.pk, last_team=None).update(last_team=cast.team)
    _invite(cast)
    return cast, User.objects.count() - before


def _person(name: str, password: str | None) -> User:
    person = User.objects.filter(email=address(name)).first() or create_person(email=address(name), name=name)
    if password:
        person.set_password(password)
        person.save(update_fields=["password"])
    return person


def _team(name: str, people: dict[str, User]) -> Team:
    roles = ROLES[name]
    owner = people[next(iter(roles))]
    team = Team.objects.filter(name=name, memberships__user=owner).first() or create_team(user=owner, name=name)
    for person, role in roles.items():
        Membership.objects.get_or_create(team=team, user=people[person], defaults={"role": role})
    return team


def _invite(cast: Cast) -> None:
    owner = cast.people["Mara Keller"]
    for email, role in INVITED.items():
        if not Invitation.objects.filter(team=cast.team, email=email).exists():
            # A row only: the service would write letters to people who do not exist.
            digest = Invitation.hash(Invitation.new_token())
            Invitation.objects.create(team=cast.team, email=email, role=role, invited_by=owner, token_hash=digest)
