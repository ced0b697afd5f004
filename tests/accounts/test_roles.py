"""The role × action table: what everything else about permission derives from."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import Membership, Team
from accounts.permissions import can
from accounts.roles import ALLOWED, Action, Role, grantable


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_python_and_sql_agree(charlie, studio, role, action):
    Membership.objects.create(team=studio, user=charlie, role=role)
    assert can(charlie, action, studio) == (action in ALLOWED[role])
    assert (studio in Team.objects.where(charlie, action)) == (action in ALLOWED[role])
    charlie.keep_roles()
    assert can(charlie, action, studio) == (action in ALLOWED[role])
    assert (studio in Team.objects.where(charlie, action)) == (action in ALLOWED[role])


def test_nobody_and_the_switched_off_may_nothing(alice, studio):
    alice.is_active = False
    for action in Action:
        assert not can(alice, action, studio)
        assert not can(AnonymousUser(), action, studio)


@pytest.mark.parametrize(
    ("role", "gives"),
    [
        (Role.OWNER, {*Role}),
        (Role.MANAGER, {*Role} - {Role.OWNER}),
        (Role.CREATOR, set()),
        (Role.REVIEWER, set()),
        (Role.VIEWER, set()),
    ],
)
def test_nobody_gives_a_role_above_their_own(role, gives):
    assert set(grantable(role)) == gives
