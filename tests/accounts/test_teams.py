"""Teams: roles change and people go, but an owner stays."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts.models import Invitation, Membership
from accounts.roles import Role
from accounts.services import (
    Refused,
    change_role,
    create_person,
    create_team,
    invite,
    leave_team,
    remove_member,
    rename_team,
)


@pytest.fixture
def mara(studio):
    """Manager in the studio."""
    user = create_person(email="mara@example.com", name="Mara")
    Membership.objects.create(team=studio, user=user, role=Role.MANAGER)
    return user


def _membership(user, team) -> Membership:
    return Membership.objects.get(user=user, team=team)


def test_who_makes_a_team_owns_it(charlie):
    team = create_team(user=charlie, name=" Spring ")
    assert (team.name, _membership(charlie, team).role) == ("Spring", Role.OWNER)


@pytest.mark.parametrize(
    ("who", "whose", "to", "allowed"),
    [
        ("alice", "bob", Role.MANAGER, True),
        ("alice", "bob", Role.OWNER, True),
        ("mara", "bob", Role.MANAGER, True),
        ("mara", "bob", Role.OWNER, False),
        ("mara", "mara", Role.OWNER, False),
        ("mara", "alice", Role.VIEWER, False),
        ("bob", "victor", Role.CREATOR, False),
        ("victor", "victor", Role.OWNER, False),
        ("charlie", "victor", Role.CREATOR, False),
    ],
)
def test_roles_are_given_by_those_who_may(studio, alice, bob, victor, charlie, mara, who, whose, to, allowed):
    people = {"alice": alice, "bob": bob, "victor": victor, "charlie": charlie, "mara": mara}
    membership = _membership(people[whose], studio)
    before = membership.role
    if allowed:
        change_role(user=people[who], membership=membership, role=to)
    else:
        with pytest.raises(PermissionDenied):
            change_role(user=people[who], membership=membership, role=to)
    membership.refresh_from_db()
    assert membership.role == (to if allowed else before)


@pytest.mark.parametrize(
    ("who", "whom", "allowed"),
    [("alice", "mara", True), ("mara", "bob", True), ("mara", "alice", False), ("bob", "victor", False)],
)
def test_people_are_removed_by_those_who_may(studio, alice, bob, victor, mara, who, whom, allowed):
    people = {"alice": alice, "bob": bob, "victor": victor, "mara": mara}
    membership = _membership(people[whom], studio)
    if allowed:
        remove_member(user=people[who], membership=membership)
    else:
        with pytest.raises(PermissionDenied):
            remove_member(user=people[who], membership=membership)
    assert Membership.objects.filter(pk=membership.pk).exists() == (not allowed)


def test_the_last_owner_stays(studio, alice, bob):
    last = _membership(alice, studio)
    for attempt in (
        lambda: change_role(user=alice, membership=last, role=Role.MANAGER),
        lambda: remove_member(user=alice, membership=last),
        lambda: leave_team(user=alice, team=studio),
    ):
        with pytest.raises(Refused, match="needs an owner"):
            attempt()
    change_role(user=alice, membership=_membership(bob, studio), role=Role.OWNER)
    leave_team(user=alice, team=studio)
    assert not Membership.objects.filter(pk=last.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(studio, alice, bob):
    Membership.objects.filter(user=bob, team=studio).update(role=Role.OWNER)
    start, refusals = threading.Barrier(2), []

    def leave(user):
        start.wait()
        try:
            leave_team(user=user, team=studio)
        except Refused as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=[user]) for user in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 1
    assert Membership.objects.filter(team=studio, role=Role.OWNER).count() == 1


def test_everybody_keeps_their_personal_team(charlie):
    with pytest.raises(Refused, match="personal team"):
        leave_team(user=charlie, team=charlie.personal_team)


def test_outsiders_cannot_leave(studio, alice, charlie):
    with pytest.raises(PermissionDenied):
        leave_team(user=charlie, team=studio)


def test_links_given_out_end_with_the_right_to_give_them(studio, alice, bob, mara):
    def open_links() -> int:
        return Invitation.objects.open().filter(team=studio).count()

    invite(user=mara, team=studio, email="friend@example.com", role=Role.MANAGER, base_url="http://x")
    assert open_links() == 1
    change_role(user=alice, membership=_membership(mara, studio), role=Role.CREATOR)
    assert open_links() == 0
    change_role(user=alice, membership=_membership(mara, studio), role=Role.MANAGER)
    invite(user=mara, team=studio, email="friend@example.com", role=Role.VIEWER, base_url="http://x")
    remove_member(user=alice, membership=_membership(mara, studio))
    assert open_links() == 0


def test_only_owners_rename(studio, alice, mara):
    with pytest.raises(PermissionDenied):
        rename_team(user=mara, team=studio, name="Mine")
    rename_team(user=alice, team=studio, name=" Atelier Nord ")
    studio.refresh_from_db()
    assert studio.name == "Atelier Nord"
