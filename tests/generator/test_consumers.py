"""Sockets: who may open one, what it says first, what it passes on, and when it is closed."""

import uuid

import pytest
from asgiref.sync import sync_to_async
from prometheus_client import REGISTRY

from accounts.live import publish_access_changed
from accounts.models import Membership, User
from accounts.services import remove_member
from generator import consumers, events, previews, services
from generator.models import Job, State
from tests.doors import PEOPLE
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("person", "visibility", "expected"),
    [
        *((person, "team", person not in ("charlie", None)) for person in PEOPLE),
        *((person, "private", person == "alice") for person in PEOPLE),
    ],
)
async def test_who_may_watch_alices_job(person, visibility, expected, request, as_, make_job, alice):
    user = await sync_to_async(request.getfixturevalue)(person) if person else None
    job = await sync_to_async(make_job)(alice, visibility=visibility)
    socket = Socket(await sync_to_async(as_)(user), f"/ws/jobs/{job.pk}/")
    connected, _code = await socket.connect()
    assert connected is expected
    if connected:
        assert (await socket.receive_json_from())["job"] == str(job.pk)
        await socket.disconnect()


async def test_a_job_that_does_not_exist_is_refused_as_an_invisible_one(as_, alice):
    socket = Socket(await sync_to_async(as_)(alice), f"/ws/jobs/{uuid.uuid4()}/")
    assert (await socket.connect())[0] is False


async def test_a_page_of_another_site_is_refused(as_, alice):
    socket = Socket(await sync_to_async(as_)(alice), "/ws/live/", origin="https://evil.example")
    assert (await socket.connect())[0] is False


async def test_the_first_word_is_the_whole_state(as_, make_job, alice):
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(alice), "/ws/live/")
    await socket.connect()
    snapshot = await socket.receive_json_from()
    assert snapshot["type"] == "job.snapshot"
    assert (snapshot["job"], snapshot["state"], snapshot["step"], snapshot["steps"]) == (str(job.pk), "queued", 0, 4)
    assert snapshot["position"] == 0
    await socket.disconnect()


async def test_progress_and_end_arrive_in_order(as_, make_job, alice):
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(alice), f"/ws/jobs/{job.pk}/")
    await socket.connect()
    first = await socket.receive_json_from()
    await sync_to_async(job.move)(State.RUNNING, lease=uuid.uuid4())
    for n in (1, 2):
        live = previews.Live(attempt=0, seq=events.sequence(job, n), step=n, steps=4, eta=1.0, count=1)
        await sync_to_async(events.tell_progress)(job, live)
    await sync_to_async(job.move)(State.DONE)
    await sync_to_async(events.tell_ended)(job)
    told = [await socket.receive_json_from()]
    while told[-1]["type"] != "job.done":
        told.append(await socket.receive_json_from())
    told = [event for event in told if event["type"] != "job.queued"]  # of before, if it was still on its way
    assert [event["type"] for event in told] == ["job.progress", "job.progress", "job.done"]
    assert told[0]["previews"] == [{"index": 0, "url": f"/jobs/{job.pk}/previews/0/1.webp"}]
    order = [(event["attempt"], event["seq"]) for event in (first, *told)]
    assert order == sorted(set(order))
    await socket.disconnect()


async def test_the_time_from_publishing_to_sending_is_measured(as_, make_job, alice):
    def measured() -> tuple[float, float]:
        return tuple(REGISTRY.get_sample_value(f"atelier_event_lag_seconds_{part}") for part in ("count", "sum"))

    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(alice), f"/ws/jobs/{job.pk}/")
    await socket.connect()
    await socket.receive_json_from()
    count, seconds = measured()
    await sync_to_async(job.move)(State.CANCELLED)
    await sync_to_async(events.tell_ended)(job)
    assert (await socket.receive_json_from())["type"] == "job.cancelled"
    await socket.disconnect()
    assert measured()[0] == count + 1
    assert 0 < measured()[1] - seconds < 60


async def test_a_page_hears_nothing_of_a_team_mates_steps(as_, make_job, alice, bob):
    socket = Socket(await sync_to_async(as_)(bob), "/ws/live/")
    await socket.connect()
    job = await sync_to_async(make_job)(alice)
    await sync_to_async(events.tell_queued)(job)
    assert await socket.receive_nothing(0.3)
    await socket.disconnect()


async def test_a_team_mates_finished_pictures_are_announced_but_not_private_ones(as_, make_job, alice, bob):
    socket = Socket(await sync_to_async(as_)(bob), "/ws/live/")
    await socket.connect()
    for visibility in ("private", "team"):
        job = await sync_to_async(make_job)(alice, visibility=visibility)
        await sync_to_async(Job.objects.filter(pk=job.pk).update)(state=State.DONE)
        await sync_to_async(job.refresh_from_db)()
        await sync_to_async(events.tell_ended)(job)
    event = await socket.receive_json_from()
    assert (event["type"], event["job"]) == ("media.added", str(job.pk))
    assert await socket.receive_nothing(0.2)
    await socket.disconnect()


async def test_removal_from_the_team_closes_the_socket_of_its_job(as_, make_job, alice, bob, studio):
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(bob), f"/ws/jobs/{job.pk}/")
    await socket.connect()
    await socket.receive_json_from()
    membership = await Membership.objects.aget(user=bob, team=studio)
    await sync_to_async(remove_member)(user=alice, membership=membership)
    message = await socket.receive_output()
    assert (message["type"], message["code"]) == ("websocket.close", consumers.FORBIDDEN)


async def test_sign_out_closes_the_socket(as_, alice):
    client = await sync_to_async(as_)(alice)
    socket = Socket(client, "/ws/live/")
    await socket.connect()
    await sync_to_async(lambda: client.session.flush())()
    await sync_to_async(publish_access_changed)(alice.pk)
    assert (await socket.receive_output())["code"] == consumers.FORBIDDEN


async def test_deactivation_closes_the_socket(as_, alice):
    socket = Socket(await sync_to_async(as_)(alice), "/ws/live/")
    await socket.connect()
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    await sync_to_async(publish_access_changed)(alice.pk)
    assert (await socket.receive_output())["code"] == consumers.FORBIDDEN


async def test_an_unfinished_job_is_told_again_and_again(as_, make_job, alice, monkeypatch):
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", 0.1)
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(alice), f"/ws/jobs/{job.pk}/")
    await socket.connect()
    assert [(await socket.receive_json_from())["state"] for _n in range(3)] == ["queued"] * 3
    await sync_to_async(services.cancel_job)(user=alice, job=job)
    while (await socket.receive_json_from())["type"] != "job.cancelled":
        pass
    await socket.disconnect()


async def test_a_page_that_missed_the_end_is_told_of_it_by_the_next_snapshot(as_, make_job, alice, monkeypatch):
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", 0.2)
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(alice), "/ws/live/")
    await socket.connect()
    assert (await socket.receive_json_from())["state"] == "queued"
    await sync_to_async(job.move)(State.CANCELLED)  # and nobody publishes it
    told = await socket.receive_json_from()
    while told["type"] != "job.snapshot" or told["state"] == "queued":  # what was on its way already
        told = await socket.receive_json_from()
    assert told["state"] == "cancelled"
    assert await socket.receive_nothing(0.5)
    await socket.disconnect()
