"""People: how accounts begin, and what a one-time password and a switched-off account mean."""

import pytest

from accounts.models import Membership, Team, User
from accounts.roles import Role
from accounts.services import Refused, create_person, ensure_personal_team, give_one_time_password, set_active


def test_a_person_owns_a_personal_team_from_the_start(db):
    user = create_person(email="  Mara@Example.com ", name="Mara")
    assert user.email == "mara@example.com"
    assert not user.has_usable_password()
    assert [(m.team.personal_of, m.role) for m in user.memberships.all()] == [(user, Role.OWNER)]


def test_an_address_belongs_to_one_person_whatever_its_case(db):
    create_person(email="mara@example.com")
    with pytest.raises(Refused, match="already an account"):
        create_person(email="MARA@example.com")
    assert Team.objects.count() == 1


def test_people_made_elsewhere_get_their_team_once(db):
    user = User.objects.create_superuser("root@example.com", "a rather long password")
    assert ensure_personal_team(user) == ensure_personal_team(user)
    assert Membership.objects.filter(user=user, role=Role.OWNER).count() == 1


def test_a_one_time_password_works_and_asks_for_another(charlie):
    password = give_one_time_password(user=charlie)
    charlie.refresh_from_db()
    assert charlie.check_password(password)
    assert charlie.must_change_password


def test_somebody_switched_off_is_out_at_once(as_, charlie):
    client = as_(charlie)
    assert client.get("/account/profile/").status_code == 200
    set_active(user=charlie, active=False)
    assert client.get("/account/profile/").status_code == 302
    set_active(user=charlie, active=True)
    assert client.get("/account/profile/").status_code == 200


@pytest.mark.parametrize(
    ("name", "email", "initials"),
    [("Ada Lovelace King", "x@y.example", "AK"), ("Ada", "x@y.example", "A"), ("", "ada.king@y.example", "AK")],
)
def test_initials(name, email, initials):
    assert User(name=name, email=email).initials == initials
