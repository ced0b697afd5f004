"""A one-time password leads to one page only: the one that replaces it."""

import pytest

from accounts.services import give_one_time_password

OWN = "plum saddle orbit tundra"


@pytest.fixture
def signed_in(client, charlie):
    """Charlie, just signed in with a one-time password, which it keeps as `one_time`."""
    client.one_time = give_one_time_password(user=charlie)
    client.post("/account/login/", {"login": charlie.email, "password": client.one_time})
    return client


@pytest.mark.parametrize("path", ["/", "/gallery/", "/team/", "/account/profile/", "/account/2fa/", "/admin/"])
def test_every_page_leads_there(signed_in, path):
    response = signed_in.get(path)
    assert (response.status_code, response.url.split("?")[0]) == (302, "/account/password/change/")


def test_fragments_lead_the_whole_page_there(signed_in):
    response = signed_in.get("/gallery/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/account/password/change/"


def test_nothing_can_be_sent_either(signed_in, charlie):
    assert signed_in.post("/team/create/", {"name": "Mine"}).url == "/account/password/change/"
    assert charlie.teams.count() == 1


@pytest.mark.parametrize("path", ["/metrics", "/account/logout/"])
def test_what_stays_open(signed_in, path):
    assert signed_in.get(path).status_code == 200


def test_the_page_shows_no_way_round(signed_in):
    page = signed_in.get("/account/password/change/").content.decode()
    assert "Choose your own password" in page
    assert "/gallery/" not in page


def test_the_new_password_ends_it_and_goes_on_to_where_one_was_going(signed_in, charlie):
    asked = signed_in.get("/gallery/?q=apple")
    response = signed_in.post(asked.url, {"password1": OWN, "password2": OWN, "next": "/gallery/?q=apple"})
    assert (response.status_code, response.url) == (302, "/gallery/?q=apple")
    charlie.refresh_from_db()
    assert not charlie.must_change_password
    assert charlie.check_password(OWN)
    assert signed_in.get("/account/profile/").status_code == 200


def test_the_one_time_password_itself_is_no_answer(signed_in, charlie):
    response = signed_in.post(
        "/account/password/change/", {"password1": signed_in.one_time, "password2": signed_in.one_time}
    )
    assert b"another one than the one-time password" in response.content
    charlie.refresh_from_db()
    assert charlie.must_change_password


def test_otherwise_the_old_password_is_asked_for(as_, charlie):
    response = as_(charlie).post("/account/password/change/", {"password1": OWN, "password2": OWN})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"oldpassword"}
