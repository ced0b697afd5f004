"""What a queue page hears beyond own jobs: that something moved, and how the team's get on; nothing private."""

import uuid

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Membership, User
from accounts.services import remove_member
from generator import events, previews, services
from generator.models import Job, State
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def _run(job: Job, *steps: int) -> None:
    job.move(State.RUNNING, lease=uuid.uuid4())
    for step in steps:
        live = previews.Live(attempt=0, seq=events.sequence(job, step), step=step, steps=4, eta=1.0, count=1)
        events.tell_progress(job, live)


async def _heard(socket: Socket) -> list[dict]:
    """All that comes until it is quiet."""
    heard = []
    while not await socket.receive_nothing(0.3):
        heard.append(await socket.receive_json_from())
    return heard


async def test_steps_of_a_team_mate_are_told_without_pictures_and_at_most_once_a_second(as_, make_job, alice, bob):
    job = await sync_to_async(make_job)(alice)
    socket = Socket(await sync_to_async(as_)(bob), "/ws/live/?of=queue")
    await socket.connect()
    await _run(job, 1, 2, 3)
    first = await socket.receive_json_from()
    (event,) = [event for event in [first, *await _heard(socket)] if event["type"] != "queue.moved"]
    assert (event["type"], event["job"], event["step"], event["previews"]) == ("queue.progress", str(job.pk), 1, [])
    await socket.disconnect()


async def test_of_what_is_private_only_that_something_moved_shows(as_, make_job, alice, bob):
    socket = Socket(await sync_to_async(as_)(bob), "/ws/live/?of=queue")
    await socket.connect()
    await _run(await sync_to_async(make_job)(alice, visibility="private"), 1)
    heard = [await socket.receive_json_from(), *await _heard(socket)]
    assert all(event == {"type": "queue.moved"} for event in heard)
    await socket.disconnect()


@pytest.mark.parametrize("leaves", [False, True])
async def test_outsiders_hear_nothing_of_the_teams_steps(as_, make_job, alice, bob, charlie, studio, leaves):
    socket = Socket(await sync_to_async(as_)(bob if leaves else charlie), "/ws/live/?of=queue")
    await socket.connect()
    if leaves:
        membership = await sync_to_async(Membership.objects.get)(user=bob, team=studio)
        await sync_to_async(remove_member)(user=alice, membership=membership)
        await _heard(socket)
    await _run(await sync_to_async(make_job)(alice), 1)
    assert all(event == {"type": "queue.moved"} for event in await _heard(socket))
    await socket.disconnect()


async def test_other_pages_are_spared(as_, make_job, alice, bob):
    socket = Socket(await sync_to_async(as_)(bob), "/ws/live/")
    await socket.connect()
    await _run(await sync_to_async(make_job)(alice), 1)
    assert await _heard(socket) == []
    await socket.disconnect()


async def test_a_hold_and_its_end_are_told_to_whoever_looks_at_the_queue(as_, alice):
    root = await sync_to_async(User.objects.create_superuser)("root@example.com", "a rather long password")
    socket = Socket(await sync_to_async(as_)(alice), "/ws/live/?of=queue")
    await socket.connect()
    hold = await sync_to_async(services.hold_everything)(user=root)
    assert await socket.receive_json_from() == {"type": "queue.moved"}
    await sync_to_async(services.release)(user=root, hold=hold)
    assert await socket.receive_json_from() == {"type": "queue.moved"}
    await socket.disconnect()
