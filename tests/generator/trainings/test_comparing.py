"""Points of a training drawn side by side at several weights: who may, what is in line, what a worker wears."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError

from generator import services
from generator.diffusion.spec import SpecError
from generator.models import Batch, Job, State, Training
from generator.services import Refused, trainings
from tests.generator.trainings.test_results import keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_taught(ready, bob):
    """`make_taught(**changes)`: a stopped training of bob's with the points that the page shows."""

    def make(**changes) -> Training:
        training = trainings.start_training(user=bob, training=ready(bob, **changes))
        trainings.stop_training(user=bob, training=training)
        for step in (0, 3, 6):
            keep(training, step)
        facts = {"validation": 0.1, "likeness": 0.5, "nearest": 100, "drift": 0.01, "is_overfitted": False}
        shown = [{"step": step, **facts, "samples": 1, "others": 1} for step in (0, 3, 6)]
        Training.objects.filter(pk=training.pk).update(points=shown, proposed=3)
        training.refresh_from_db()
        return training

    return make


@pytest.fixture
def taught(make_taught) -> Training:
    return make_taught()


def compared(user, training, **changes) -> Batch:
    usual = {"prompt": "a ourbottle bottle", "seed": 7, "points": [3, 6], "weights": [0.4, 1.0]}
    return trainings.compare_points(user=user, training=training, **usual | changes)


def test_each_point_draws_at_each_weight_what_only_it_has_learned(taught, carol):
    batch = compared(carol, taught)
    assert (batch.training, batch.origin, batch.owner) == (taught, "comparison", carol)
    asked = [job.generation for job in batch.jobs.order_by("position")]
    assert [(one.adapters[0]["point"], one.adapters[0]["weight"]) for one in asked] == [
        (3, 0.4),
        (3, 1.0),
        (6, 0.4),
        (6, 1.0),
    ]
    assert {(one.prompt, one.seed, one.count) for one in asked} == {("a ourbottle bottle", 7, 1)}
    assert len({one.adapters[0]["hash"] for one in asked}) == 2
    worn = services.with_adapters(asked[2], services.spec_of(asked[2])).adapters
    assert [(one.path, one.weight) for one in worn] == [(str(taught.point_file(6)), 0.4)]


def test_what_it_has_drawn_can_be_drawn_again_once_the_point_is_taken(taught, bob):
    asked = compared(bob, taught).jobs.first().generation
    step = asked.adapters[0]["point"]
    adapter = trainings.choose_point(user=bob, training=taught, step=step, weight=0.4)
    assert (adapter.slug, adapter.weight, adapter.weights_hash) == (
        asked.adapters[0]["slug"],
        0.4,
        asked.adapters[0]["hash"],
    )
    trainings.retire_adapter(user=bob, adapter=adapter)
    assert compared(bob, taught).jobs.count() == 4  # a point that is taken, and even retired, goes on being compared


def test_an_embedding_is_compared_by_point_alone_and_as_its_own(make_taught, bob):
    taught = make_taught(method="embedding")
    trainings.choose_point(user=bob, training=taught, step=3)
    assert trainings.weights_of(taught) == (1.0,)
    batch = compared(bob, taught, prompt=trainings.usual_comparison(taught)["prompt"], weights=[1.0])
    for job in batch.jobs.all():  # the one that is taken goes by the same word, and is left off
        [worn] = job.generation.adapters
        assert worn["word"] == "my-ourbottle"
    with pytest.raises(Refused, match="no such point or weight"):
        compared(bob, taught, weights=[0.4])


def test_outsiders_and_who_only_looks_compare_nothing(taught, victor, charlie):
    for user in (victor, charlie):
        with pytest.raises(PermissionDenied):
            compared(user, taught)
    assert not Batch.objects.exists()


def test_no_one_of_another_team_wears_a_point(taught, bob, charlie):
    [asked, *_others] = [job.generation for job in compared(bob, taught).jobs.all()]
    stolen = services.prepare(checkpoint=taught.checkpoint, prompt="x", adapters=asked.adapters)
    with pytest.raises(PermissionDenied):
        services.creating.enter([stolen], user=charlie, team=charlie.personal_team, visibility="private")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"points": [0]}, "no such point or weight"),
        ({"points": [4]}, "no such point or weight"),
        ({"weights": [7.0]}, "no such point or weight"),
        ({"points": []}, "a point and a weight"),
    ],
)
def test_only_what_was_kept_is_compared(taught, bob, changes, says):
    with pytest.raises(Refused, match=says):
        compared(bob, taught, **changes)


def test_not_while_it_learns_nor_without_its_file_nor_beyond_the_quota(taught, bob, monkeypatch):
    taught.point_file(6).unlink()
    with pytest.raises(Refused, match="step 6 is gone"):
        compared(bob, taught)
    trainings.start_training(user=bob, training=taught)
    taught.refresh_from_db()
    with pytest.raises(Refused, match="under way"):
        compared(bob, taught, points=[3])
    assert not Batch.objects.exists()


def test_a_comparison_counts_on_the_quota_and_gives_back_what_is_cancelled(taught, bob):
    before = trainings.comparison_cost(user=bob, training=taught, pictures=4)
    batch = compared(bob, taught)
    assert before.pictures == 4
    assert trainings.comparison_cost(user=bob, training=taught, pictures=4).left_today == before.left_today - 4
    with pytest.raises(IntegrityError):
        compared(bob, taught, pk=batch.pk)


def test_a_job_whose_training_is_gone_says_so(taught, bob):
    asked = compared(bob, taught).jobs.first().generation
    batch = Batch.objects.get()
    services.cancel_batch(user=bob, batch=batch)
    trainings.delete_training(user=bob, training=taught)
    assert Batch.objects.get().training is None
    with pytest.raises(SpecError, match="no longer here"):
        services.with_adapters(asked, services.spec_of(asked))


def test_failed_ones_are_tried_again_from_the_point(taught, bob):
    batch = compared(bob, taught)
    Job.objects.filter(pk=batch.jobs.first().pk).update(state=State.FAILED)
    assert services.retry_failed(user=bob, batch=batch) == 1
    assert batch.jobs.filter(hidden=False).count() == 4


@pytest.mark.parametrize(
    ("who", "sees", "asks", "takes"),
    [("bob", 200, 302, True), ("carol", 200, 302, False), ("victor", 200, 403, False), ("charlie", 404, 404, False)],
)
def test_the_page_in_each_role(request, as_, taught, who, sees, asks, takes):
    client, address = as_(request.getfixturevalue(who)), f"/train/{taught.pk}/"
    page = client.get(address)
    assert page.status_code == sees
    if sees == 200:
        assert ("Draw them" in page.content.decode()) is (asks == 302)
    form = {"prompt": "a ourbottle bottle", "seed": "7", "points": ["3", "6"], "weights": ["0.4", "1.0"]}
    form["batch"] = "11111111-1111-4111-8111-111111111111"
    assert client.post(f"{address}comparison/start/", form).status_code == asks
    if asks != 302:
        return
    assert client.post(f"{address}comparison/start/", form).status_code == 302  # pressed twice
    batch = Batch.objects.get()
    assert client.get(f"{address}comparison/").content.decode().count("<td") == 4
    Job.objects.filter(batch=batch).update(state=State.DONE)
    grid = client.get(f"{address}comparison/").content.decode()
    assert ("Take the point at step 3 with weight 0.4" in grid) is takes
    client.post(f"{address}points/3/choose/", {"weight": "0.4"})
    assert list(taught.adapters.values_list("weight", flat=True)) == ([0.4] if takes else [])


def test_what_it_costs_is_told_before_and_it_can_be_cancelled(as_, taught, bob, carol):
    client, address = as_(bob), f"/train/{taught.pk}/"
    page = client.get(address).content.decode()
    assert "<dd>10</dd>" in page  # two points, five weights
    assert "a photo of ourbottle bottle" in page or "ourbottle bottle" in page
    cost = client.get(f"{address}comparison/cost/", {"points": ["3"], "weights": ["0.4", "0.6"]}).content.decode()
    assert "<dd>2</dd>" in cost
    answer = client.post(f"{address}comparison/start/", {"prompt": "", "seed": "x"})
    assert answer.status_code == 422
    batch = compared(bob, taught)
    cancel = f"{address}comparison/{batch.pk}/cancel/"
    assert as_(carol).post(cancel).status_code == 403
    assert "Cancel the comparison" in as_(bob).get(address).content.decode()
    assert as_(bob).post(cancel).status_code == 302
    assert set(batch.jobs.values_list("state", flat=True)) == {State.CANCELLED}
    assert "Cancel the comparison" not in as_(bob).get(address).content.decode()


def test_when_it_ends_the_page_is_asked_for_anew(as_, taught, bob):
    client, address, htmx = as_(bob), f"/train/{taught.pk}/run/", {"HX-Request": "true"}
    assert client.get(address, headers=htmx)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(address)
    trainings.start_training(user=bob, training=taught)
    taught.refresh_from_db()
    answer = client.get(address, headers=htmx)
    assert "HX-Refresh" not in answer
    assert f'data-job="{taught.job_id}"' in answer.content.decode()


def test_a_model_from_scratch_is_not_compared(as_, taught, bob):
    Training.objects.filter(pk=taught.pk).update(kind="scratch", method="scratch")
    taught.refresh_from_db()
    with pytest.raises(Refused, match="whole models"):
        compared(bob, taught)


def test_over_the_api_all_is_usual_but_what_is_said(calls, taught, carol, charlie, make_training):
    client, at = calls(carol), f"/api/v1/trainings/{taught.pk}/comparisons"
    said = {"weights": [0.8], "seed": 5}
    answers = [client.post(at, said, "application/json", headers={"Idempotency-Key": "one"}) for _time in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].json()
    assert answers[0].json() == answers[1].json()
    told = client.get(answers[0]["Location"]).json()
    assert told["total"] == 2
    asked = [job.generation for job in Batch.objects.get(pk=told["id"]).jobs.order_by("position")]
    assert [(one.adapters[0]["point"], one.adapters[0]["weight"], one.seed) for one in asked] == [
        (3, 0.8, 5),
        (6, 0.8, 5),
    ]
    assert {one.prompt for one in asked} == {trainings.usual_comparison(taught)["prompt"]}

    def refused(client, at: str, said: dict) -> int:
        return client.post(at, said, "application/json").status_code

    assert refused(client, at, {"points": [4]}) == 409
    assert refused(client, at, {"points": []}) == 422
    assert refused(client, at, {"prompt": ""}) == 422
    assert refused(calls(charlie), at, {}) == 404
    assert refused(client, f"/api/v1/trainings/{make_training(carol).pk}/comparisons", {}) == 409
    assert Batch.objects.count() == 1
