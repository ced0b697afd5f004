"""What a table of doors is written in: who tries them, and what each role is to get, read from accounts.roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import transaction

from accounts.roles import ALLOWED, Action, Role

# The studio's people by role; charlie is in a team of his own only, None is not signed in.
ROLES = {
    "alice": Role.OWNER,
    "mona": Role.MANAGER,
    "bob": Role.CREATOR,
    "carol": Role.CREATOR,
    "rita": Role.REVIEWER,
    "victor": Role.VIEWER,
}
PEOPLE = (*ROLES, "charlie", None)
SIGN_IN = 302
DONE = 302  # without scripts, a form that was accepted leads to a page; SIGN_IN and DONE differ in which


@dataclass(frozen=True)
class Door:
    """One address: who is let in, and what the others are told."""

    method: str = "get"
    opens: int = 200
    needs: Action | None = None  # what the role must allow; None: nothing
    own: bool = False  # whoever made the thing is let in as well
    refused: int = 403  # for members whose role is not enough
    outside: int | None = 404  # for charlie; None: as for everybody
    exceptions: dict[str | None, int] = field(default_factory=dict)

    def answers(self, person: str | None) -> int:
        """The status that `person` gets at a thing of bob's."""
        if person in self.exceptions:
            return self.exceptions[person]
        if person is None:
            return SIGN_IN
        if person == "charlie":
            return self.opens if self.outside is None else self.outside
        if self.needs is None and not self.own:
            return self.opens
        by_role = self.needs is not None and self.needs in ALLOWED[ROLES[person]]
        return self.opens if by_role or (self.own and person == "bob") else self.refused

    @property
    def leads_to_a_thing(self) -> bool:
        """Whether it is about something that can be private."""
        return self.outside == 404


@contextmanager
def undone() -> Iterator[None]:
    """What one of them does is as if it had not been when the next one tries."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    cache.clear()


def page() -> Door:
    """For everybody who is signed in: shows what they may see."""
    return Door(outside=None)


def thing(opens: int = 200) -> Door:
    """Something to look at, for all who see it."""
    return Door(opens=opens)


def act(needs: Action | None, *, own: bool = False, **more) -> Door:
    """A form that changes something."""
    return Door("post", **{"opens": DONE, "needs": needs, "own": own, **more})


def maker_only(**more) -> Door:
    """A form for whoever made the thing."""
    return Door(**{"method": "post", "opens": DONE, "own": True, **more})
