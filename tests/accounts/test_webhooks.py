"""Webhooks: who sets them up, what they are told, how they are tried again, and where they never reach."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from accounts import outbound, services
from accounts.models import Delivery, Webhook
from gallery.services import ask_review, decide
from generator import events, outside
from generator.models import Job, State


class Receiver:
    """A server that answers as it is told and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.came: list[tuple[dict[str, str], str]] = []
        self.hangs = threading.Event()
        self.hangs.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.came.append(({key.lower(): value for key, value in self.headers.items()}, body))
                receiver.hangs.wait(30)
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": "2", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    made = Receiver()
    yield made
    made.hangs.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def hook(alice, studio, receiver) -> Webhook:
    kinds = ["job.done", "job.failed", "review.decided"]
    return services.create_webhook(user=alice, team=studio, url=receiver.url, events=kinds)


def _emit(hook: Webhook, name: str = "one") -> Delivery:
    services.emit(team=hook.team_id, kind="job.done", event=name, data=lambda: {"n": name})
    return Delivery.objects.get(event=name)


def _later(delivery: Delivery) -> None:
    """As if its next try was due."""
    delivery.refresh_from_db()
    Delivery.objects.filter(state="waiting").update(next_try=timezone.now() - timedelta(seconds=1))


def test_a_message_is_signed_as_the_standard_says(hook, receiver):
    _emit(hook)
    assert services.deliver_due() == 1
    headers, body = receiver.came[0]
    assert Verifier(hook.secret).verify(body, headers) == json.loads(body)
    assert json.loads(body)["data"] == {"n": "one"}
    with pytest.raises(WebhookVerificationError):
        Verifier(hook.secret).verify(body.replace("one", "two"), headers)
    stale = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    with pytest.raises(WebhookVerificationError):
        Verifier(hook.secret).verify(body, stale)
    assert services.deliver_due() == 0


def test_one_that_fails_is_tried_again_with_the_same_id(hook, receiver, settings):
    receiver.answers = [(500, {}), (429, {})]
    delivery = _emit(hook)
    for tried, pause in enumerate(settings.WEBHOOK_RETRY_SECONDS[:2], start=1):
        before = timezone.now()
        assert services.deliver_due() == 0
        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.state) == (tried, "waiting")
        assert delivery.next_try >= before + timedelta(seconds=pause)
        assert services.deliver_due() == 0  # not yet
        _later(delivery)
    assert services.deliver_due() == 1
    assert len({headers["webhook-id"] for headers, _body in receiver.came}) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 3)


def test_it_is_given_up_in_the_end_and_can_be_sent_again(hook, receiver, settings, alice, bob):
    settings.WEBHOOK_RETRY_SECONDS = [1]
    receiver.answers = [(500, {}), (500, {})]
    delivery = _emit(hook)
    for _ in range(2):
        services.deliver_due()
        _later(delivery)
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    with pytest.raises(PermissionDenied):
        services.redeliver(user=bob, delivery=delivery)
    services.redeliver(user=alice, delivery=delivery)
    assert services.deliver_due() == 1


def test_messages_keep_their_order_while_the_receiver_is_away(hook, receiver):
    receiver.answers = [(500, {})]
    first, second = _emit(hook, "one"), _emit(hook, "two")
    assert services.deliver_due() == 0
    assert services.deliver_due() == 0
    _later(first)
    assert services.deliver_due() == 2
    assert [json.loads(body)["data"]["n"] for _headers, body in receiver.came] == ["one", "one", "two"]
    second.refresh_from_db()
    assert second.attempts == 1


def test_a_redirect_is_not_followed(hook, receiver):
    receiver.answers = [(302, {"Location": "http://127.0.0.1:1/inside"})]
    delivery = _emit(hook)
    services.deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status, len(receiver.came)) == ("waiting", 302, 1)


def test_one_that_hangs_is_left_alone_after_a_while(hook, receiver, monkeypatch):
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.3)
    receiver.hangs.clear()
    delivery = _emit(hook)
    services.deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status) == ("waiting", None)
    assert "No answer" in delivery.answer


def test_a_receiver_that_is_gone_is_asked_no_more(hook, receiver):
    receiver.answers = [(410, {})]
    _emit(hook)
    services.deliver_due()
    hook.refresh_from_db()
    assert not hook.is_enabled
    assert "410" in hook.note


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:6379/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "ftp://example.com/",
        "http://user:secret@example.com/",
        "http:///nowhere",
        "http://1.1.1.1:99999/",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_are_not_public_are_refused(alice, studio, url, settings):
    settings.WEBHOOK_NETWORKS = []
    with pytest.raises(services.Refused):
        services.create_webhook(user=alice, team=studio, url=url, events=["job.done"])
    with pytest.raises(outbound.Unreachable):
        outbound.post(url, b"{}", {})


def test_a_name_that_leads_elsewhere_later_is_asked_again(hook, receiver, settings):
    settings.WEBHOOK_NETWORKS = []
    delivery = _emit(hook)
    services.deliver_due()
    delivery.refresh_from_db()
    assert "not a public address" in delivery.answer
    assert receiver.came == []


@pytest.mark.parametrize(("person", "may"), [("alice", True), ("mona", True), ("bob", False), ("charlie", False)])
def test_who_sets_them_up(request, studio, receiver, person, may):
    user = request.getfixturevalue(person)
    asked = {"user": user, "team": studio, "url": receiver.url, "events": ["job.done"]}
    if may:
        hook = services.create_webhook(**asked)
        services.delete_webhook(user=user, webhook=hook)
    else:
        with pytest.raises(PermissionDenied):
            services.create_webhook(**asked)


def _end(job: Job, state: State) -> None:
    job.move(State.RUNNING, lease=job.pk)
    job.move(state)


def test_the_end_of_a_job_is_told_once(hook, bob, make_job):
    job = make_job(bob)
    _end(job, State.DONE)
    events.tell_ended(job)
    events.tell_ended(job)
    [delivery] = Delivery.objects.all()
    told = json.loads(delivery.body)
    assert (told["type"], told["data"]["job"], told["data"]["prompt"]) == (
        "job.done",
        str(job.pk),
        "a red apple, 3d icon",
    )


def test_an_end_that_nobody_told_is_found(hook, bob, make_job):
    _end(make_job(bob), State.FAILED)
    _end(make_job(bob), State.CANCELLED)
    assert outside.tell_missed() == 1
    assert outside.tell_missed() == 0
    assert Delivery.objects.get().type == "job.failed"


def test_what_is_private_is_told_to_nobody(hook, bob, make_job):
    job = make_job(bob, visibility="private")
    _end(job, State.DONE)
    events.tell_ended(job)
    outside.tell_missed()
    assert not Delivery.objects.exists()


def test_a_decision_is_told(hook, bob, rita, make_media):
    review = ask_review(user=bob, media=make_media(bob), reviewers=[rita])
    decide(user=rita, review=review, verdict="changes", note="Brighter")
    told = json.loads(Delivery.objects.get().body)
    assert (told["type"], told["data"]["verdict"], told["data"]["note"]) == ("review.decided", "changes", "Brighter")
