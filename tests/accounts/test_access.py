"""Every address of the people's pages, tried by everybody."""

import pytest
from allauth.usersessions.models import UserSession

from accounts.models import Membership, Team, Webhook
from accounts.roles import Role
from accounts.services import create_api_key, create_person, emit, invite
from tests.doors import undone

# owner, manager, creator, reviewer, viewer, outsider, anonymous; a reviewer gets here what a creator gets
PEOPLE = ("alice", "mara", "bob", "rita", "victor", "charlie", None)
COLUMN = {"alice": 0, "mara": 1, "bob": 2, "rita": 2, "victor": 3, "charlie": 4}
TO_SIGN_IN = "to sign-in"
DONE, SHOWN, REFUSED, UNKNOWN, WRONG = 302, 200, 403, 404, 422

EVERYBODY = {"{alice}": "1", "{mara}": "1", "{bob}": "2", "{rita}": "1", "{victor}": "1"}

# address, data (None: GET), then what each of PEOPLE gets, by COLUMN
TABLE = [
    ("/team/", None, [SHOWN] * 5),
    ("/account/profile/", None, [SHOWN] * 5),
    ("/account/profile/", {"name": "N", "theme": "dark"}, [DONE] * 5),
    ("/account/profile/", {"name": "N", "theme": "pink"}, [WRONG] * 5),
    ("/account/theme/", {"theme": "dark"}, [DONE] * 5),
    ("/account/theme/", {"theme": "pink"}, [WRONG] * 5),
    ("/account/sessions/", None, [SHOWN] * 5),
    ("/account/sessions/{session}/end/", {}, [DONE, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
    ("/account/sessions/others/end/", {}, [DONE] * 5),
    ("/account/close/", None, [SHOWN] * 5),
    ("/account/close/", {"email": "somebody@example.com"}, [WRONG] * 5),
    ("/account/keys/", None, [SHOWN] * 5),
    ("/account/keys/", {"name": "Script", "scope": "read", "days": "90"}, [SHOWN] * 5),
    ("/account/keys/", {"name": "Script", "scope": "king", "days": "90"}, [WRONG] * 5),
    ("/account/keys/{key}/revoke/", {}, [DONE, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
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
    ("/team/{studio}/shares/", {"{victor}": "3", **EVERYBODY}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/shares/", {**EVERYBODY, "{victor}": "0"}, [WRONG, WRONG, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/hand-over/", {"member": "{victor}"}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/hand-over/", {"member": "nobody"}, [UNKNOWN] * 5),
    ("/team/{studio}/close/", {"name": "Studio"}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{victor}/role/", {"role": "creator"}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{alice}/role/", {"role": "viewer"}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{victor}/role/", {"role": "king"}, [WRONG, WRONG, WRONG, WRONG, UNKNOWN]),
    ("/team/members/{victor}/remove/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/members/{alice}/remove/", {}, [DONE, REFUSED, REFUSED, REFUSED, UNKNOWN]),
    ("/team/invitations/{invitation}/revoke/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/", None, [SHOWN, SHOWN, REFUSED, REFUSED, SHOWN]),  # charlie's is of his own team
    ("/team/webhooks/", {"url": "https://1.1.1.1/hook", "events": "job.done"}, [SHOWN, SHOWN, REFUSED, REFUSED, SHOWN]),
    ("/team/webhooks/", {"url": "http://127.0.0.1/", "events": "job.done"}, [WRONG, WRONG, REFUSED, REFUSED, WRONG]),
    ("/team/webhooks/{webhook}/", None, [SHOWN, SHOWN, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/{webhook}/switch/", {"is_enabled": "0"}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/{webhook}/secret/", {}, [SHOWN, SHOWN, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/{webhook}/test/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/{webhook}/{delivery}/again/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/webhooks/{webhook}/delete/", {}, [DONE, DONE, REFUSED, REFUSED, UNKNOWN]),
    ("/team/{studio}/leave/", {}, [DONE, DONE, DONE, DONE, UNKNOWN]),
]


@pytest.fixture
def people(alice, bob, rita, victor, charlie, studio) -> dict:
    """All of PEOPLE by name, with a manager."""
    mara = create_person(email="mara@example.com", name="Mara", password="a rather long password")
    Membership.objects.create(team=studio, user=mara, role=Role.MANAGER)
    return {"alice": alice, "bob": bob, "rita": rita, "victor": victor, "charlie": charlie, "mara": mara, None: None}


@pytest.fixture
def names(people, studio) -> dict:
    """What stands for the braces in TABLE."""
    invitation, _link = invite(
        user=people["alice"], team=studio, email="o@example.com", role=Role.VIEWER, base_url="http://x"
    )
    members = {
        name: Membership.objects.get(user=people[name], team=studio).pk
        for name in ("alice", "mara", "bob", "rita", "victor")
    }
    session = UserSession.objects.create(
        user=people["alice"], ip="10.0.0.9", session_key="elsewhere", user_agent="curl/8"
    )
    key, _token = create_api_key(user=people["alice"], name="Script")
    webhook = Webhook.objects.create(team=studio, url="https://1.1.1.1/hook", events=["job.done"])
    emit(team=studio.pk, kind="job.done", event="one", data=dict)
    hooks = {"webhook": webhook.pk, "delivery": webhook.deliveries.get().pk}
    return {"studio": studio.pk, "invitation": invitation.pk, "key": key.pk, "session": session.pk, **members, **hooks}


@pytest.mark.parametrize(("path", "data", "expected"), TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_everybody_at_every_address(as_, people, names, path, data, expected):
    path, answers = path.format(**names), {}
    filled = data and {key.format(**names): value.format(**names) for key, value in data.items()}
    for who in PEOPLE:
        with undone():
            client = as_(people[who])
            response = client.get(path) if data is None else client.post(path, filled)
        answers[who] = response.status_code
        if who is None:
            assert response.url.split("?")[0] == "/account/login/"
    assert answers == {who: DONE if who is None else expected[COLUMN[who]] for who in PEOPLE}


SHOWN_TOO = {"/account/profile/", "/account/keys/", "/account/close/", "/team/webhooks/"}


@pytest.mark.parametrize("path", sorted({row[0] for row in TABLE if row[1] is not None} - SHOWN_TOO))
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
