"""Every address of the people's pages, tried by everybody."""

import pytest

from accounts.models import Membership, Team
from accounts.roles import Role
from accounts.services import create_person, invite

PEOPLE = ("alice", "mara", "bob", "victor", "charlie", None)  # owner, manager, creator, viewer, outsider, anonymous
TO_SIGN_IN = "to sign-in"
DONE, SHOWN, REFUSED, UNKNOWN, WRONG = 302, 200, 403, 404, 422

# address, data (None: GET), then what each of PEOPLE gets
TABLE = [
    ("/team/", None, [SHOWN] * 5),
    ("/account/profile/", None, [SHOWN] * 5),
    ("/account/profile/", {"name": "N", "theme": "dark"}, [DONE] * 5),
    ("/account/profile/", {"name": "N", "theme": "pink"}, [WRONG] * 5),
    ("/account/password/change/", None, [SHOWN] * 5),
    ("/account/2fa/", None, [SHOWN] * 5),
    ("/team/create/", {"name": "New"}, [DONE] * 5),
    ("/team/create/", {"name": " "}, [WRONG] * 5),
    ("/team/switch/", {"team": "{studio}"}, [DONE, DONE, DONE, DONE, UNKNOWN]),
    (
        "/team/{studio}/invite/",
        {"email": "n@example.com", "role": "viewer"},
        [SHOWN, SHOWN, REFUSED, REFUSED, UNKNOWN],
    ),
    ("/team/{studio}/invite/", {"email": "n@example.com", "role": "owner"}, [SHOWN, WRONG, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/invite/", {"email": "n", "role": "viewer"}, [WRONG, WRONG, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/rename/", {"name": "Nord"}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{victor}/role/", {"role": "creator"}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{alice}/role/", {"role": "viewer"}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{victor}/role/", {"role": "king"}, [WRONG, WRONG, WRONG, WRONG, UNKNOWN]),
    ("/team/members/{victor}/remove/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{alice}/remove/", {}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/invitations/{invitation}/revoke/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/leave/", {}, [DONE, DONE, DONE, DONE, UNKNOWN]),
]


@pytest.fixture
def people(alice, bob, victor, charlie, studio) -> dict:
    """All of PEOPLE by name, with a manager."""
    mara = create_person(email="mara@example.com", name="Mara", password="a rather long password")
    Membership.objects.create(team=studio, user=mara, role=Role.MANAGER)
    return {"alice": alice, "bob": bob, "victor": victor, "charlie": charlie, "mara": mara, None: None}


@pytest.fixture
def names(people, studio) -> dict:
    """What stands for the braces in TABLE."""
    invitation, _link = invite(
        user=people["alice"], team=studio, email="o@example.com", role=Role.VIEWER, base_url="http://x"
    )
    members = {name: Membership.objects.get(user=people[name], team=studio).pk for name in ("alice", "victor")}
    return {"studio": studio.pk, "invitation": invitation.pk, **members}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("path", "data", "expected"), TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_everybody_at_every_address(as_, people, names, path, data, expected, who):
    client = as_(people[who])
    path = path.format(**names)
    if data is None:
        response = client.get(path)
    else:
        response = client.post(path, {key: value.format(**names) for key, value in data.items()})
    if who is None:
        assert (response.status_code, response.url.split("?")[0]) == (302, "/account/login/")
    else:
        assert response.status_code == expected[PEOPLE.index(who)]


@pytest.mark.parametrize(
    "path", sorted({row[0] for row in TABLE if row[1] is not None and not row[0].startswith("/account")})
)
def test_nothing_changes_by_a_link(as_, people, names, path):
    assert as_(people["alice"]).get(path.format(**names)).status_code == 405


def test_the_last_owner_is_told_why_she_stays(as_, people, names, studio):
    page = as_(people["alice"]).post(f"/team/{studio.pk}/leave/", follow=True)
    assert b"A team needs an owner" in page.content
    assert Membership.objects.filter(user=people["alice"], team=studio).exists()


def test_the_page_offers_only_what_the_role_allows(as_, people, names):
    def page(who):
        return as_(people[who]).get("/team/").content.decode()

    for who in ("alice", "mara"):
        assert "Invite somebody" in page(who)
        assert "o@example.com" in page(who)
    for who in ("bob", "victor"):
        assert "Invite somebody" not in page(who)
        assert "o@example.com" not in page(who)
        assert "Remove" not in page(who)
    assert "Name of the team" in page("alice")
    assert "Name of the team" not in page("mara")
    assert f"role-{names['alice']}" not in page("mara")


def test_the_link_of_an_invitation_is_shown_once(as_, people, studio):
    client = as_(people["alice"])
    answer = client.post(f"/team/{studio.pk}/invite/", {"email": "n@example.com", "role": "viewer"})
    assert b"http://testserver/invitation/" in answer.content
    assert b"/invitation/" not in client.get("/team/").content


def test_names_are_escaped(as_, people, studio):
    Team.objects.filter(pk=studio.pk).update(name="<script>alert(1)</script>")
    page = as_(people["alice"]).get("/team/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
