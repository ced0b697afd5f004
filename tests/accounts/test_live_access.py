"""Whoever loses access loses it in open pages too: each way out closes the sockets that depended on it."""

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts.models import Membership, User
from accounts.services import close_account
from generator.consumers import FORBIDDEN
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "plum saddle orbit tundra"


def _sign_out(client: Client, user: User) -> None:
    client.post("/account/logout/")


def _switch_off(client: Client, user: User) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    root.post("/admin/accounts/user/", {"action": "switch_off", "_selected_action": [user.pk]})


def _change_password_elsewhere(client: Client, user: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(user)
    passwords = {"oldpassword": "a rather long password", "password1": OWN, "password2": OWN}
    assert elsewhere.post("/account/password/change/", passwords).status_code == 302


def _end_the_session_elsewhere(client: Client, user: User) -> None:
    client.get("/account/sessions/")  # noted
    elsewhere = Client()
    elsewhere.force_login(user)
    assert elsewhere.post("/account/sessions/others/end/").status_code == 302


def _close_the_account(client: Client, user: User) -> None:
    close_account(user=user)


WAYS = [_sign_out, _switch_off, _change_password_elsewhere, _end_the_session_elsewhere, _close_the_account]


@pytest.mark.parametrize("lose_access", WAYS)
async def test_the_socket_of_the_page_closes(as_, bob, lose_access: Callable[[Client, User], None]):
    client = await sync_to_async(as_)(bob)
    socket = Socket(client, "/ws/live/")
    assert (await socket.connect())[0]
    await sync_to_async(lose_access)(client, bob)
    message = await socket.receive_output()
    assert (message["type"], message["code"]) == ("websocket.close", FORBIDDEN)


async def test_removal_in_the_admin_closes_the_socket_of_a_team_mates_job(as_, make_job, alice, bob, studio):
    job = await sync_to_async(make_job)(alice)
    client = await sync_to_async(as_)(bob)
    socket = Socket(client, f"/ws/jobs/{job.pk}/")
    assert (await socket.connect())[0]
    await socket.receive_json_from()
    await sync_to_async(_remove_in_the_admin)(studio, bob)
    while (message := await socket.receive_output())["type"] != "websocket.close":
        pass
    assert message["code"] == FORBIDDEN


def _remove_in_the_admin(team, user) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    rows = list(Membership.objects.filter(team=team))
    sizes = {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": len(rows)}
    data = {"name": team.name, "share": 1, **sizes}
    for index, row in enumerate(rows):
        fields = {"id": row.pk, "team": team.pk, "user": row.user_id, "role": row.role, "share": 1}
        data |= {f"memberships-{index}-{name}": value for name, value in fields.items()}
        if row.user_id == user.pk:
            data[f"memberships-{index}-DELETE"] = "on"
    assert root.post(f"/admin/accounts/team/{team.pk}/change/", data).status_code == 302
