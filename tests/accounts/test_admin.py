"""The admin: every page opens for an administrator, none for others; what it does to people goes through services."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import Invitation, Membership, Team, Usage, User
from accounts.roles import Role
from accounts.services import charge, create_api_key, invite

PASSWORD = "a rather long password"
MODELS = sorted((model._meta.label_lower for model in admin.site._registry), key=str)


@pytest.fixture
def root(client, db) -> Client:
    """An administrator's browser."""
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD, name="Ada Root"))
    return client


@pytest.fixture
def _everything(alice, bob, studio, make_job, make_media):
    """One row at least of all that the admin shows."""
    make_job(alice)
    make_media(bob)
    invite(user=alice, team=studio, email="o@example.com", role=Role.VIEWER, base_url="http://x")
    charge(user=alice, team=studio, pictures=1)
    create_api_key(user=alice, name="Script")


def _urls(label: str) -> list[str]:
    name = label.replace(".", "_")
    model = next(model for model in admin.site._registry if model._meta.label_lower == label)
    urls = [reverse(f"admin:{name}_changelist"), reverse(f"admin:{name}_changelist") + "?q=a"]
    if admin.site._registry[model].has_add_permission(_Anybody()):
        urls.append(reverse(f"admin:{name}_add"))
    return urls + [reverse(f"admin:{name}_change", args=[row.pk]) for row in model._default_manager.all()[:3]]


class _Anybody:
    """A request of somebody who may everything, to ask which pages exist at all."""

    class user:  # noqa: N801
        is_active = is_superuser = True
        has_perm = staticmethod(lambda permission: True)


@pytest.mark.usefixtures("_everything")
@pytest.mark.parametrize("label", MODELS)
def test_every_page_opens_for_an_administrator(root, label):
    for url in _urls(label):
        assert root.get(url).status_code == 200, url


@pytest.mark.usefixtures("_everything")
@pytest.mark.parametrize("label", MODELS)
def test_no_page_opens_for_others(as_, alice, label):
    for url in _urls(label):
        assert as_(alice).get(url, follow=True).status_code == 403, url
        assert as_(None).get(url).status_code == 302, url


def test_only_our_own_pages_are_there(root):
    assert {label.split(".")[0] for label in MODELS} == {"accounts", "gallery", "generator"}
    page = root.get("/admin/").content.decode()
    for word in ("People", "Teams", "Invitations", "Usage", "Jobs", "Models", "Style presets", "Workers", "Pictures"):
        assert word in page


def _secret(response) -> str:
    return re.search(r'<code class="secret">([^<]+)</code>', response.content.decode())[1]


def test_a_new_person_gets_a_team_and_a_one_time_password(root):
    response = root.post("/admin/accounts/user/add/", {"email": "Nora@Example.com", "name": "Nora"})
    nora = User.objects.get(email="nora@example.com")
    assert nora.personal_team
    assert nora.must_change_password
    assert not nora.is_staff
    assert nora.check_password(_secret(response))
    assert "no-store" in response["Cache-Control"]


def test_an_administrator_is_made_by_one_switch(root):
    root.post("/admin/accounts/user/add/", {"email": "nora@example.com", "is_superuser": "on"})
    nora = User.objects.get(email="nora@example.com")
    assert nora.is_staff
    assert nora.is_superuser


def test_an_address_that_is_taken_is_refused(root, alice):
    response = root.post("/admin/accounts/user/add/", {"email": "ALICE@example.com"})
    assert response.context["adminform"].form.errors["email"]


def test_a_quota_is_set(root, alice):
    data = {"email": alice.email, "name": "Alice", "is_active": "on", "pictures_per_day": "7", **_no_inlines()}
    assert root.post(f"/admin/accounts/user/{alice.pk}/change/", data).status_code == 302
    alice.refresh_from_db()
    assert alice.pictures_per_day == 7


@pytest.mark.parametrize("left_out", ["is_active", "is_superuser"])
def test_nobody_takes_their_own_access_away(root, left_out):
    me = User.objects.get(email="root@example.com")
    data = {"email": me.email, "is_active": "on", "is_superuser": "on", **_no_inlines()}
    del data[left_out]
    response = root.post(f"/admin/accounts/user/{me.pk}/change/", data)
    assert b"take your own access away" in response.content
    root.post("/admin/accounts/user/", {"action": "switch_off", "_selected_action": [me.pk]})
    me.refresh_from_db()
    assert me.is_active
    assert me.is_superuser


def _no_inlines() -> dict[str, int]:
    return {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def test_the_reset_link_works(root, charlie):
    response = root.post("/admin/accounts/user/", {"action": "make_reset_link", "_selected_action": [charlie.pk]})
    link = _secret(response)
    assert link.startswith("http://testserver/account/password/reset/key/")
    assert Client().get(link.removeprefix("http://testserver"), follow=True).status_code == 200


def test_people_are_switched_off_and_on(root, charlie):
    for action, expected in (("switch_off", False), ("switch_on", True)):
        root.post("/admin/accounts/user/", {"action": action, "_selected_action": [charlie.pk]})
        charlie.refresh_from_db()
        assert charlie.is_active == expected


def test_nobody_and_no_team_is_deleted(root, alice, studio):
    for path in (f"user/{alice.pk}", f"team/{studio.pk}"):
        assert root.post(f"/admin/accounts/{path}/delete/", {"post": "yes"}).status_code == 403


def _members_form(team: Team, rows: list[dict]) -> dict:
    known = sum("id" in row for row in rows)
    sizes = {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": known}
    data = {"name": team.name, "share": 2, **sizes}
    for index, row in enumerate(rows):
        data |= {f"memberships-{index}-{field}": value for field, value in {"team": team.pk, "share": 1, **row}.items()}
    return data


def test_a_team_keeps_an_owner(root, alice, bob, studio):
    own, other = (Membership.objects.get(user=user, team=studio) for user in (alice, bob))
    rows = [
        {"id": own.pk, "user": alice.pk, "role": "owner", "DELETE": "on"},
        {"id": other.pk, "user": bob.pk, "role": "creator"},
    ]
    url = f"/admin/accounts/team/{studio.pk}/change/"
    assert b"A team needs an owner" in root.post(url, _members_form(studio, rows)).content
    rows[1]["role"] = "owner"
    assert root.post(url, _members_form(studio, rows)).status_code == 302
    assert [(m.user, m.role) for m in studio.memberships.all()] == [(bob, Role.OWNER)]


def test_a_personal_team_keeps_its_one_member(root, charlie, bob):
    team = charlie.personal_team
    rows = [{"user": bob.pk, "role": "owner"}]
    root.post(f"/admin/accounts/team/{team.pk}/change/", _members_form(team, rows))
    assert [m.user for m in team.memberships.all()] == [charlie]


def test_an_invitation_into_any_team_shows_its_link(root, alice, studio):
    data = {"team": studio.pk, "email": "n@example.com", "role": "owner"}
    link = _secret(root.post("/admin/accounts/invitation/add/", data))
    assert Client().get(link.removeprefix("http://testserver")).status_code == 200
    invitation = Invitation.objects.get()
    root.post("/admin/accounts/invitation/", {"action": "withdraw", "_selected_action": [invitation.pk]})
    assert Client().get(link.removeprefix("http://testserver")).status_code == 404


@pytest.mark.parametrize("whose", ["alice@example.com", "personal"])
def test_an_invitation_that_makes_no_sense_is_refused(root, alice, studio, whose):
    team = alice.personal_team if whose == "personal" else studio
    data = {"team": team.pk, "email": "n@example.com" if whose == "personal" else whose, "role": "viewer"}
    assert root.post("/admin/accounts/invitation/add/", data).status_code == 200
    assert not Invitation.objects.exists()


def test_the_ledger_is_only_read(root, alice, studio):
    charge(user=alice, team=studio, pictures=3)
    line = Usage.objects.get()
    assert root.get("/admin/accounts/usage/add/").status_code == 403
    assert root.post(f"/admin/accounts/usage/{line.pk}/change/", {"pictures": 0}).status_code == 403
    assert root.post(f"/admin/accounts/usage/{line.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_looser_policy_is_the_admins_alone(root):
    loose, strict = (root.get(path)["Content-Security-Policy"] for path in ("/admin/", "/team/"))
    assert "'unsafe-eval'" in loose
    assert "script-src 'self' 'unsafe-eval'" in loose
    assert "unsafe-eval" not in strict
    assert "script-src" not in strict


def test_what_people_typed_is_escaped(root, alice, studio):
    User.objects.filter(pk=alice.pk).update(name='<img src=x onerror="x">')
    page = root.get("/admin/accounts/user/").content.decode()
    assert "<img src=x" not in page
    assert escape("<img src=x") in page
