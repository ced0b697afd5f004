"""/metrics: for whom, and whether the figures are right."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from generator import metrics, queue
from generator.models import Job, State, Tally, Worker


def _read(client: Client, **headers) -> dict[tuple, float]:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
        if sample.name.startswith("atelier_")
    }


@pytest.fixture
def ended(make_job, alice):
    """`ended(state, wait, run, **fields)`: a job that ended a minute ago, after so many seconds."""

    def make(state: State, wait: float, run: float, **fields) -> Job:
        finished = timezone.now() - timedelta(minutes=1)
        started = finished - timedelta(seconds=run)
        times = {"created": started - timedelta(seconds=wait), "started": started, "finished": finished}
        job = make_job(alice)
        Job.objects.filter(pk=job.pk).update(state=state, **times, **fields)
        return job

    return make


@pytest.mark.parametrize(
    ("token", "headers", "facts", "status"),
    [
        ("", {}, {}, 200),
        ("", {}, {"REMOTE_ADDR": "::1"}, 200),
        ("", {}, {"REMOTE_ADDR": "10.0.0.7"}, 404),
        ("", {}, {"REMOTE_ADDR": ""}, 404),
        ("", {"x-forwarded-for": "127.0.0.1"}, {}, 404),
        ("s3cret", {}, {}, 404),
        ("s3cret", {"authorization": "Bearer wrong"}, {}, 404),
        ("s3cret", {"authorization": "Basic s3cret"}, {}, 404),
        ("s3cret", {"authorization": "Bearer s3cret"}, {"REMOTE_ADDR": "10.0.0.7"}, 200),
        ("s3cret", {"authorization": "Bearer s3cret", "x-forwarded-for": "9.9.9.9"}, {}, 200),
    ],
)
def test_for_whom(token, headers, facts, status, settings, client, db):
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers=headers, **facts).status_code == status


def test_networks_can_be_named(settings, client, db):
    settings.METRICS_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404


def test_depth_in_jobs_and_in_seconds(client, make_job, alice):
    jobs = [make_job(alice), make_job(alice), make_job(alice)]
    Job.objects.filter(pk=jobs[2].pk).update(state=State.PAUSED, urgency=Job.Urgency.BATCH)
    found = _read(client)
    labels = (("kind", "image"), ("state", "queued"), ("urgency", "interactive"))
    assert found["atelier_queue_jobs", *labels] == 2
    seconds = found["atelier_queue_cost_seconds", *labels]
    assert seconds == pytest.approx(2 * jobs[0].cost * queue.FIRST_GUESS)
    assert found["atelier_queue_jobs", ("kind", "image"), ("state", "paused"), ("urgency", "batch")] == 1


def test_what_ended_is_counted_once(client, ended, alice):
    ended(State.DONE, wait=3, run=8, timings={"denoise": 0.4})
    ended(State.FAILED, wait=0.2, run=1, trace="Traceback\ntorch.OutOfMemoryError: CUDA out of memory", attempts=2)
    for _scrape in range(2):
        found = _read(client)
        label = (("kind", "image"), ("urgency", "interactive"))
        assert found["atelier_images_total", ("kind", "image")] == 1
        assert found["atelier_jobs_ended_total", ("kind", "image"), ("state", "done")] == 1
        assert found["atelier_failures_total", ("reason", "out_of_memory")] == 1
        assert found["atelier_leases_expired_total", ("kind", "image")] == 2
        assert found["atelier_wait_seconds_count", *label] == 2
        assert found["atelier_wait_seconds_sum", *label] == pytest.approx(3.2, abs=0.01)
        assert found["atelier_wait_seconds_bucket", ("kind", "image"), ("le", "0.5"), label[1]] == 1
        assert found["atelier_wait_seconds_bucket", ("kind", "image"), ("le", "2.0"), label[1]] == 1
        assert found["atelier_wait_seconds_bucket", ("kind", "image"), ("le", "5.0"), label[1]] == 2
        assert found["atelier_run_seconds_count", *label] == 1
        assert found["atelier_step_seconds_sum", *label] == pytest.approx(0.1)


def test_the_phases_of_a_run(client, ended):
    job = ended(State.DONE, wait=1, run=10, timings={"denoise": 5, "decode": 1.5})
    job.refresh_from_db()
    marks = {"first_step": 2, "decoded": 8, "stored": 9}
    Job.objects.filter(pk=job.pk).update(**{n: job.started + timedelta(seconds=at) for n, at in marks.items()})
    found = _read(client)
    sums = {dict(key[1:])["phase"]: value for key, value in found.items() if key[0] == "atelier_phase_seconds_sum"}
    assert sums == pytest.approx({"starting": 2, "drawing": 4.5, "decoding": 1.5, "storing": 1, "finishing": 1})


def test_counters_outlive_the_jobs(client, ended):
    job = ended(State.DONE, wait=1, run=1)
    _read(client)
    job.delete()
    assert _read(client)["atelier_images_total", ("kind", "image")] == 1


def test_a_job_that_just_ended_is_counted_when_it_is_surely_committed(client, ended):
    job = ended(State.DONE, wait=1, run=1)
    Job.objects.filter(pk=job.pk).update(finished=timezone.now())
    assert ("atelier_images_total", ("kind", "image")) not in _read(client)
    Tally.objects.update(upto=timezone.now() - timedelta(minutes=2))
    Job.objects.filter(pk=job.pk).update(finished=timezone.now() - timedelta(seconds=16))
    assert _read(client)["atelier_images_total", ("kind", "image")] == 1


def test_two_processes_do_not_count_twice(ended, monkeypatch):
    ended(State.DONE, wait=1, run=1)
    real = metrics._add

    def while_another_is_faster(sums, row):
        monkeypatch.setattr(metrics, "_add", real)
        metrics.fold()
        real(sums, row)

    monkeypatch.setattr(metrics, "_add", while_another_is_faster)
    assert metrics.fold()["images"] == {"image": 1}
    assert Tally.objects.get().sums["images"] == {"image": 1}


def test_workers(client, db):
    Worker.objects.create(name="a")
    Worker.objects.create(name="b", is_paused=True)
    Worker.objects.create(name="gone", seen=timezone.now() - timedelta(minutes=5))
    found = _read(client)
    assert [found["atelier_workers_alive", ("paused", word)] for word in ("false", "true")] == [1, 1]


def test_requests_are_timed_by_the_name_of_the_address(client, as_, alice):
    as_(alice).get("/gallery/")
    labels = (("address", "gallery:index"), ("method", "GET"), ("status", "200"))
    assert _read(client)["atelier_http_request_seconds_count", *labels] >= 1


@pytest.mark.parametrize(
    ("trace", "quarantined", "reason"),
    [
        ("Traceback\n  x\ntorch.OutOfMemoryError: CUDA out of memory. Tried to", False, "out_of_memory"),
        ("MemoryError", False, "out_of_memory"),
        ("OSError: [Errno 28] No space left on device", False, "storage"),
        ("botocore.exceptions.EndpointConnectionError: Could not connect", False, "storage"),
        ("django.db.utils.OperationalError: server closed the connection", False, "database"),
        ("generator.progress.Overdue: 9f", False, "too_long"),
        ("generator.diffusion.spec.CheckpointError: no such folder", False, "model"),
        ("generator.diffusion.spec.SpecError: odd size", False, "settings"),
        ("ValueError: what a person typed: secret", False, "other"),
        ("", False, "other"),
        ("", True, "worker_lost"),
    ],
)
def test_reasons_have_few_names(trace, quarantined, reason):
    assert metrics.reason_class(trace=trace, quarantined=quarantined) == reason


def test_a_scrape_asks_little(client, ended, django_assert_max_num_queries):
    for _n in range(5):
        ended(State.DONE, wait=1, run=1)
    with django_assert_max_num_queries(12):
        client.get("/metrics")
