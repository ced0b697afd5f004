"""Every address of making and keeping, tried in every role: one table, and no address missing from it.

bob (a creator) made the things. What a role may do with them is not written here but read from accounts.roles, so that
the table and the doors cannot come apart. (People's own addresses have the same table in tests/accounts/test_access.py,
sockets theirs in test_consumers.py.)
"""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import User
from accounts.roles import Action
from gallery import links
from gallery.services import trash_media
from generator import previews, services
from generator.models import Batch, Prompt
from tests import deliveries, edits, teaching, things, words
from tests.doors import DONE, PEOPLE, Door, act, maker_only, page, thing, undone

EVERYBODY = dict.fromkeys(PEOPLE, 200)
MANAGED = act(Action.MANAGE_JOBS, own=True)
CURATED = act(Action.CURATE, own=True)
# For everybody: what of the chosen pictures is not theirs stays as it is, and they are told (gallery/test_many.py).
CHOSEN = act(None, outside=None)
CURATED_BY_ROLE = act(Action.CURATE)

DOORS = {
    "generator:create": page(),
    "generator:submit": act(Action.CREATE, outside=DONE),
    "generator:estimate": page(),
    "generator:card": thing(),
    "generator:preview": thing(),
    "generator:cancel": MANAGED,
    "generator:retry": act(Action.CREATE),
    "generator:hide": maker_only(),
    "generator:job": thing(),
    "generator:pause": MANAGED,
    "generator:resume": MANAGED,
    "generator:move": MANAGED,
    "generator:new_batch": page(),
    "generator:batch_example": page(),
    "generator:start_batch": act(Action.CREATE, outside=DONE),
    "generator:batch": thing(),
    "generator:batch_card": thing(),
    "generator:cancel_batch": MANAGED,
    "generator:pause_batch": MANAGED,
    "generator:resume_batch": MANAGED,
    "generator:retry_batch": MANAGED,
    "generator:hide_batch": maker_only(),
    "generator:export_batch": act(Action.VIEW),
    "generator:accept_licence": act(Action.CREATE, outside=DONE),  # charlie's is his own team
    "generator:queue": page(),
    "generator:queue_move": MANAGED,
    "generator:queue_pause": MANAGED,
    "generator:queue_resume": MANAGED,
    "generator:queue_cancel": MANAGED,
    "generator:queue_batch_move": MANAGED,
    "generator:queue_batch_pause": MANAGED,
    "generator:queue_batch_resume": MANAGED,
    "generator:queue_batch_cancel": MANAGED,
    "generator:queue_hold": act(None, own=False, opens=403, outside=403),  # everything; the rest: views/test_queue
    "generator:queue_release": act(Action.MANAGE_JOBS, own=True, outside=DONE),  # charlie is not told it exists
    "generator:prompts": page(),
    "generator:suggest_prompts": act(None, opens=200, outside=None),
    "generator:references": page(),
    "generator:edit": thing(),
    "generator:make_edit": act(Action.CREATE),
    "generator:edit_result": thing(),
    **teaching.DOORS,
    "generator:styles": page(),
    "generator:add_style": act(Action.CURATE, outside=DONE),  # charlie's is his own team
    "generator:style": thing(),
    "generator:change_style": CURATED_BY_ROLE,
    "generator:retire_style": CURATED_BY_ROLE,
    "generator:draw_style_sample": CURATED_BY_ROLE,
    "generator:words": page(),
    "generator:save_word_list": act(Action.CREATE, outside=DONE),
    "generator:delete_word_list": act(Action.CREATE),
    "generator:save_prompt_template": act(Action.CREATE, outside=DONE),
    "generator:delete_prompt_template": act(Action.CREATE),
    "generator:save_prompt": maker_only(),
    "generator:share_prompt": maker_only(),
    "generator:delete_prompt": maker_only(),
    "gallery:index": page(),
    "gallery:first": page(),
    "gallery:trash": page(),
    "gallery:save_search": act(None, outside=None),  # for oneself; to share takes Action.ORGANISE: views/test_saved
    "gallery:change_search": CURATED,
    "gallery:delete_search": CURATED,
    "gallery:restore_search": CURATED,
    "gallery:empty_trash": CHOSEN,
    "gallery:many_trash": CHOSEN,
    "gallery:many_restore": CHOSEN,
    "gallery:many_purge": Door("post", outside=None),  # asks first
    "gallery:many_like": CHOSEN,
    "gallery:many_visibility": CHOSEN,
    "gallery:many_tag": CHOSEN,
    "gallery:many_album": CHOSEN,
    "gallery:many_review": CHOSEN,
    "gallery:picture": thing(),
    "gallery:look": thing(),
    "gallery:tile": thing(),
    "gallery:trash_one": CURATED,
    "gallery:restore": CURATED,
    "gallery:like": act(Action.VIEW),
    "gallery:visibility": CURATED,
    "gallery:file": thing(),
    "gallery:comments": thing(DONE),
    "gallery:comment": act(Action.COMMENT),
    "gallery:rate": act(Action.COMMENT),
    "gallery:title": CURATED,
    "gallery:tags": act(Action.COMMENT),
    "gallery:choose_album": thing(),
    "gallery:ask_review": act(Action.ORGANISE),
    "gallery:share_media": act(Action.SHARE, opens=200),
    "gallery:edit_comment": maker_only(),
    "gallery:delete_comment": CURATED,
    "gallery:resolve_comment": act(Action.COMMENT),
    "gallery:albums": page(),
    "gallery:create_album": act(Action.ORGANISE, outside=DONE),
    "gallery:album": thing(),
    "gallery:change_album": CURATED,
    "gallery:delete_album": CURATED,
    "gallery:move_in_album": CURATED,
    "gallery:share_album_with": CURATED,
    "gallery:unshare_album": act(Action.CURATE, own=True, exceptions={"victor": DONE}),  # it is his own right
    "gallery:share_album": act(Action.SHARE, opens=200),
    "gallery:remove_from_album": CURATED,
    "gallery:set_cover": CURATED,
    "gallery:import": page(),
    "gallery:import_one": maker_only(method="get", opens=200, refused=404),
    "gallery:export": thing(),
    "gallery:start_export": act(Action.VIEW),
    "gallery:export_sizes": act(Action.VIEW, opens=200),
    "gallery:set_focus": act(Action.VIEW, opens=204),
    "gallery:exports": page(),
    "gallery:export_row": maker_only(method="get", opens=200, refused=404),
    "gallery:export_file": maker_only(method="get", opens=200, refused=404),
    "gallery:delete_export": maker_only(refused=404),
    "gallery:review": page(),
    "gallery:decide": act(Action.REVIEW),
    "gallery:withdraw_review": CURATED,
    "gallery:links": page(),
    "gallery:revoke_link": act(Action.CURATE, own=True, refused=404),
    "gallery:notices": page(),
    "gallery:bell": page(),
    "gallery:read_notices": act(Action.VIEW, outside=DONE),
    "gallery:prefer_notices": act(Action.VIEW, outside=DONE),
    "gallery:follow_notice": Door(opens=DONE, own=True, refused=404),
    "gallery:activity": page(),
    "gallery:standards": page(),
    "gallery:set_policy": act(Action.MANAGE_PEOPLE, outside=DONE),  # charlie's is his own team
    "gallery:set_brand": act(Action.MANAGE_PEOPLE, outside=DONE),
    "gallery:logo": thing(),
    "gallery:set_colours": act(Action.MANAGE_PEOPLE, outside=DONE),  # charlie's is his own team
    "gallery:add_font": act(Action.MANAGE_PEOPLE, outside=DONE),
    "gallery:font": thing(),
    "gallery:remove_font": act(Action.MANAGE_PEOPLE),
    "gallery:add_channel": act(Action.MANAGE_PEOPLE, outside=DONE),
    "gallery:remove_channel": act(Action.MANAGE_PEOPLE),
    "gallery:shared": Door(exceptions=EVERYBODY),  # whoever has the link
    "gallery:shared_logo": Door(exceptions=EVERYBODY),
    "gallery:shared_file": Door(exceptions=EVERYBODY),
    "readyz": Door(exceptions=dict.fromkeys(PEOPLE, 503)),  # no worker in this test
    "metrics": Door(exceptions=EVERYBODY),  # from this machine; from elsewhere: test_metrics.py
}
# Pages that ask first (GET) what a form then does (POST).
ASKING = {
    "gallery:share_media",
    "gallery:share_album",
    "gallery:export",
    "generator:add_style",
    "generator:new_training",
    *(f"gallery:many_{verb}" for verb in ("tag", "album", "review")),
}
OF_A_JOB = {f"generator:{name}" for name in ("job", "card", "cancel", "pause", "resume", "move", "retry", "hide")}
# About things that cannot be private, or not in a way that these tests could make.
NEVER_PRIVATE = {
    *words.OF_A_TEAM,
    *teaching.DOORS,  # what is taught is the team's
    "generator:save_prompt",
    "generator:share_prompt",
    "generator:delete_prompt",
    "gallery:decide",
    "gallery:withdraw_review",
    "gallery:revoke_link",
    "gallery:unshare_album",
    "gallery:follow_notice",
    "gallery:logo",
    "gallery:font",
    "gallery:remove_font",
    "gallery:remove_channel",
    "gallery:shared",
    "gallery:shared_logo",
    "gallery:shared_file",
    "readyz",
    "metrics",
}
PRIVATE = [name for name, door in DOORS.items() if door.leads_to_a_thing and name not in NEVER_PRIVATE]
POSTS = [name for name, door in DOORS.items() if door.method == "post"]


def _names() -> set[str]:
    found = set()
    for part in get_resolver().url_patterns:
        inner = getattr(part, "namespace", None)
        route = getattr(part.pattern, "_route", "")
        if inner in ("generator", "gallery"):
            found |= {f"{inner}:{pattern.name}" for pattern in part.url_patterns}
        elif route in ("readyz", "metrics"):
            found.add(route)
    return found


def test_no_address_is_missing_from_the_table():
    assert _names() == set(DOORS)


def _address(name: str, user: User | None, visibility: str, bob, make_job, make_media) -> str:
    if name in ("readyz", "metrics"):
        return f"/{name}"
    if address := deliveries.address(name, bob, make_media, visibility):
        return address
    if address := things.address(name, bob, make_media, visibility) or words.address(name, bob):
        return address
    if address := teaching.address(name, bob, user):
        return address
    if address := edits.address(name, bob, make_media, make_job, visibility):
        return address
    if name.startswith(("gallery:many_", "gallery:empty_")):
        return reverse(name)
    if name.startswith("gallery:") and name not in ("gallery:index", "gallery:first", "gallery:trash"):
        media = make_media(bob, visibility=visibility)
        if name == "gallery:file":
            return links.media_url(media, "tile", user or bob)
        if name == "gallery:restore":
            trash_media(user=bob, media=media)
        return reverse(name, args=[media.pk])
    job = make_job(bob, visibility=visibility)
    if name in ("generator:retry", "generator:hide", "generator:hide_batch"):
        services.cancel_job(user=bob, job=job)
    if name == "generator:preview":
        live = previews.Live(attempt=0, seq=1, step=3, steps=4, eta=None, count=1)
        previews.write(job.pk, live, [b"RIFF"])
        return reverse(name, args=[job.pk, 0, 3])
    if name in ("generator:start_batch", "generator:new_batch", "generator:batch_example"):
        return reverse(name)
    if name.startswith("generator:queue_batch_") or "batch" in name:
        batch = Batch.objects.create(team=job.team, owner=bob, name="Fruit")
        batch.jobs.add(job)
        return reverse(name, args=[batch.pk])
    if name == "generator:queue_release":
        return reverse(name, args=[services.hold_person(user=bob, team=job.team, person=bob).pk])
    if name == "generator:accept_licence":
        return reverse(name, args=["model", "starter"])
    if name in OF_A_JOB or (name.startswith("generator:queue_") and name != "generator:queue_hold"):
        return reverse(name, args=[job.pk])
    if name.endswith("_prompt"):
        prompt = Prompt.objects.get(user=bob)
        services.share_prompt(user=bob, prompt=prompt)
        return reverse(name, args=[prompt.pk])
    return reverse(name)


def _knock(client: Client, name: str, address: str):
    data = {"visibility": "private"} if name == "gallery:visibility" else {"liked": "1"}
    data = deliveries.DATA.get(name) or things.DATA.get(name) or teaching.data(name) or words.DATA.get(name, data)
    if name == "generator:make_edit":
        data = edits.WHOLE
    if name == "generator:queue_hold":
        data = {"scope": "everything"}
    if name in ("generator:submit", "generator:estimate"):
        data = {"prompt": "a pear", "count": "1", "steps": "4", "format": "square", "checkpoint": "starter"}
    if name == "generator:start_batch":
        data = {"prompt": "a {pear|plum}", "count": "1", "format": "square", "checkpoint": "starter"}
        data |= {"origin": "matrix", "batch": str(uuid4())}
    return getattr(client, DOORS[name].method)(address, data)


@pytest.mark.parametrize("name", DOORS)
def test_who_gets_in(name, everybody, as_, make_job, make_media):
    answers = {}
    for person, user in everybody.items():
        with undone():
            address = _address(name, user, "team", everybody["bob"], make_job, make_media)
            response = _knock(as_(user), name, address)
        answers[person] = response.status_code
        if response.status_code == 302:
            assert response["Location"].startswith("/account/login/") is (person is None), person
    assert answers == {person: DOORS[name].answers(person) for person in PEOPLE}


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_private_exists_for_nobody_else(name, everybody, as_, make_job, make_media):
    for person in ("bob", "alice", "rita", "victor", "charlie"):
        with undone():
            address = _address(name, everybody[person], "private", everybody["bob"], make_job, make_media)
            status = _knock(as_(everybody[person]), name, address).status_code
        # 422: what is private has no link
        assert status in (200, 204, 302, 422) if person == "bob" else status == 404, person


@pytest.mark.parametrize("name", POSTS)
def test_what_changes_things_cannot_be_reached_by_a_link_or_from_another_site(name, as_, bob, make_job, make_media):
    address = _address(name, bob, "team", bob, make_job, make_media)
    assert as_(bob).get(address).status_code == (200 if name in ASKING else 405)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert _knock(strict, name, address).status_code == 403
