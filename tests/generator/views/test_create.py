"""The Create page: who sees which jobs on it, and what the composer offers."""

import pytest
from django.urls import reverse

from generator.models import Job, State, StylePreset
from generator.views.create import PAGE

URL = reverse("generator:create")


def test_strangers_are_sent_to_the_entrance(client, db):
    assert client.get(URL).url.startswith(reverse("account_login"))


def test_the_page_shows_own_jobs_of_this_team_only(as_, alice, bob, charlie, make_job):
    own, other = make_job(alice), make_job(bob)
    elsewhere = make_job(alice, team=alice.personal_team)
    page = as_(alice).get(URL).content.decode()
    assert f"job-{own.pk}" in page
    assert f"job-{other.pk}" not in page
    assert f"job-{elsewhere.pk}" not in page
    assert "job-" + str(own.pk) not in as_(charlie).get(URL).content.decode()


def test_a_hidden_job_is_gone(as_, alice, make_job):
    job = make_job(alice)
    Job.objects.update(hidden=True)
    assert f"job-{job.pk}" not in as_(alice).get(URL).content.decode()


def test_the_composer_comes_back_as_it_was_sent_but_with_a_new_seed(as_, alice, make_job):
    make_job(alice, prompt="a pear", count=3, steps=9, seed=41)
    form = as_(alice).get(URL).context["form"]
    assert (form["prompt"].value(), form["count"].value(), form["steps"].value()) == ("a pear", 3, 9)
    assert form["seed"].value() == ""


def test_a_first_visit_offers_prompts(as_, alice, checkpoint):
    page = as_(alice).get(URL).content.decode()
    for suggestion in checkpoint.suggestions[:3]:
        assert suggestion in page


def test_viewers_get_no_composer(as_, victor, checkpoint):
    page = as_(victor).get(URL).content.decode()
    assert 'id="composer"' not in page
    assert reverse("gallery:index") in page


def test_without_a_model_the_page_says_so(as_, alice, checkpoint):
    checkpoint.is_enabled = False
    checkpoint.save()
    response = as_(alice).get(URL)
    assert 'id="composer"' not in response.content.decode()
    assert "No model is switched on" in response.content.decode()


def test_styles_that_the_model_cannot_draw_are_not_shown(as_, alice, checkpoint):
    StylePreset.objects.update_or_create(slug="oil", defaults={"name": "Oil painting", "families": ["sdxl"]})
    page = as_(alice).get(URL).content.decode()
    label = page[page.rindex("<label", 0, page.index('value="oil"')) : page.index('value="oil"')]
    assert " hidden" in label


def test_earlier_jobs_have_an_address_of_their_own(as_, alice, make_job):
    jobs = [make_job(alice, prompt=f"picture {n}") for n in range(PAGE + 2)]
    client = as_(alice)
    first = client.get(URL)
    assert len(first.context["cards"]) == PAGE
    rest = client.get(URL, {"before": first.context["next"]})
    assert {card.job.pk for card in rest.context["cards"]} == {job.pk for job in jobs[:2]}
    assert rest.context["next"] is None


@pytest.mark.parametrize("before", ["rubbish", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_place_to_go_on_from_is_not_found(as_, alice, checkpoint, before):
    assert as_(alice).get(URL, {"before": before}).status_code == 404


def test_nobody_goes_on_from_somebody_elses_job(as_, alice, bob, make_job):
    assert as_(bob).get(URL, {"before": make_job(alice).pk}).status_code == 404


@pytest.mark.parametrize(("state", "words"), [(State.FAILED, "out of paint"), (State.CANCELLED, "cancelled")])
def test_ended_jobs_say_how(as_, alice, make_job, state, words):
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(state=state, reason="out of paint")
    page = as_(alice).get(URL).content.decode()
    assert words in page
    assert reverse("generator:retry", args=[job.pk]) in page


def test_the_queries_do_not_grow_with_the_jobs(as_, alice, make_job, make_media, django_assert_max_num_queries):
    for n in range(6):
        job = make_job(alice, prompt=f"picture {n}")
        media = make_media(alice)
        type(media).objects.filter(pk=media.pk).update(job=job.pk)
    Job.objects.update(state=State.DONE)
    client = as_(alice)
    with django_assert_max_num_queries(28):
        client.get(URL)
