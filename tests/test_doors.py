"""Every address of making and keeping, tried by everybody: one table, and no address missing from it.

bob made the things; alice owns his team; victor only looks in it; charlie is an outsider; None is not signed in.
(People's own addresses have the same table in tests/accounts/test_access.py, sockets theirs in test_consumers.py.)
"""

import pytest
from django.urls import get_resolver, reverse

from gallery import links
from gallery.services import trash_media
from generator import previews, services
from generator.models import Prompt

PEOPLE = ("bob", "alice", "victor", "charlie", None)
SIGN_IN = 302
DONE = 302  # without scripts, a form that was accepted leads to a page

# name: (method, statuses for PEOPLE); SIGN_IN and DONE are told apart by where they lead.
DOORS = {
    "generator:create": ("get", (200, 200, 200, 200, SIGN_IN)),
    "generator:submit": ("post", (DONE, DONE, 403, DONE, SIGN_IN)),
    "generator:estimate": ("get", (200, 200, 200, 200, SIGN_IN)),
    "generator:card": ("get", (200, 200, 200, 404, SIGN_IN)),
    "generator:preview": ("get", (200, 200, 200, 404, SIGN_IN)),
    "generator:cancel": ("post", (DONE, DONE, 403, 404, SIGN_IN)),
    "generator:retry": ("post", (DONE, DONE, 403, 404, SIGN_IN)),
    "generator:hide": ("post", (DONE, 403, 403, 404, SIGN_IN)),
    "generator:prompts": ("get", (200, 200, 200, 200, SIGN_IN)),
    "generator:save_prompt": ("post", (DONE, 403, 403, 404, SIGN_IN)),
    "generator:share_prompt": ("post", (DONE, 403, 403, 404, SIGN_IN)),
    "generator:delete_prompt": ("post", (DONE, 403, 403, 404, SIGN_IN)),
    "gallery:index": ("get", (200, 200, 200, 200, SIGN_IN)),
    "gallery:trash": ("get", (200, 200, 200, 200, SIGN_IN)),
    "gallery:picture": ("get", (200, 200, 200, 404, SIGN_IN)),
    "gallery:trash_one": ("post", (DONE, DONE, 403, 404, SIGN_IN)),
    "gallery:restore": ("post", (DONE, DONE, 403, 404, SIGN_IN)),
    "gallery:like": ("post", (DONE, DONE, DONE, 404, SIGN_IN)),
    "gallery:visibility": ("post", (DONE, DONE, 403, 404, SIGN_IN)),
    "gallery:file": ("get", (200, 200, 200, 404, SIGN_IN)),
    "healthz": ("get", (200, 200, 200, 200, 200)),
    "readyz": ("get", (503, 503, 503, 503, 503)),  # no worker in this test
}
# What a thing that was made private answers to everybody but its maker.
PRIVATE = {
    "generator:card": "get",
    "generator:preview": "get",
    "generator:cancel": "post",
    "generator:retry": "post",
    "generator:hide": "post",
    "gallery:picture": "get",
    "gallery:trash_one": "post",
    "gallery:restore": "post",
    "gallery:like": "post",
    "gallery:visibility": "post",
    "gallery:file": "get",
}


def _names() -> set[str]:
    found = set()
    for part in get_resolver().url_patterns:
        inner = getattr(part, "namespace", None)
        route = getattr(part.pattern, "_route", "")
        if inner in ("generator", "gallery"):
            found |= {f"{inner}:{pattern.name}" for pattern in part.url_patterns}
        elif route in ("healthz", "readyz"):
            found.add(route)
    return found


def test_no_address_is_missing_from_the_table():
    assert _names() == set(DOORS)


def _address(name: str, user, visibility: str, bob, make_job, make_media) -> str:
    if name in ("healthz", "readyz"):
        return f"/{name}"
    if name.startswith("gallery:") and name not in ("gallery:index", "gallery:trash"):
        media = make_media(bob, visibility=visibility)
        if name == "gallery:file":
            return links.media_url(media, "tile", user or bob)
        if name == "gallery:restore":
            trash_media(user=bob, media=media)
        return reverse(name, args=[media.pk])
    job = make_job(bob, visibility=visibility)
    if name in ("generator:retry", "generator:hide"):
        services.cancel_job(user=bob, job=job)
    if name == "generator:preview":
        live = previews.Live(attempt=0, seq=1, step=3, steps=4, eta=None, count=1)
        previews.write(job.pk, live, [b"RIFF"])
        return reverse(name, args=[job.pk, 0, 3])
    if name in ("generator:card", "generator:cancel", "generator:retry", "generator:hide"):
        return reverse(name, args=[job.pk])
    if name.endswith("_prompt"):
        prompt = Prompt.objects.get(user=bob)
        services.share_prompt(user=bob, prompt=prompt)
        return reverse(name, args=[prompt.pk])
    return reverse(name)


def _knock(client, method: str, name: str, address: str):
    data = {"visibility": "private"} if name == "gallery:visibility" else {"liked": "1"}
    if name in ("generator:submit", "generator:estimate"):
        data = {"prompt": "a pear", "count": "1", "steps": "4", "format": "square", "checkpoint": "starter"}
    return getattr(client, method)(address, data)


@pytest.mark.parametrize("number", range(len(PEOPLE)), ids=[str(person) for person in PEOPLE])
@pytest.mark.parametrize("name", DOORS)
def test_who_gets_in(name, number, request, as_, bob, make_job, make_media):
    method, statuses = DOORS[name]
    person = PEOPLE[number]
    user = request.getfixturevalue(person) if person else None
    response = _knock(as_(user), method, name, _address(name, user, "team", bob, make_job, make_media))
    assert response.status_code == statuses[number]
    if response.status_code == 302:
        assert response["Location"].startswith("/account/login/") is (person is None)


@pytest.mark.parametrize("person", ["bob", "alice", "victor", "charlie"])
@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_private_exists_for_nobody_else(name, person, request, as_, bob, make_job, make_media):
    user = request.getfixturevalue(person)
    address = _address(name, user, "private", bob, make_job, make_media)
    status = _knock(as_(user), PRIVATE[name], name, address).status_code
    assert status in (200, 302) if person == "bob" else status == 404


@pytest.mark.parametrize("name", [name for name, (method, _statuses) in DOORS.items() if method == "post"])
def test_what_changes_things_cannot_be_reached_by_a_link_or_from_another_site(
    name, as_, bob, make_job, make_media, settings
):
    from django.test import Client

    address = _address(name, bob, "team", bob, make_job, make_media)
    assert as_(bob).get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert _knock(strict, "post", name, address).status_code == 403
