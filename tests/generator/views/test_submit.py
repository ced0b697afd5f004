"""Asking for pictures: by htmx and by a plain form, well formed and not."""

from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import User
from generator.models import Generation, Job

URL = reverse("generator:submit")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def asked(checkpoint) -> dict[str, object]:
    """What the composer sends."""
    return {
        "prompt": "a red apple, 3d icon",
        "negative_prompt": "",
        "checkpoint": checkpoint.slug,
        "style": "",
        "format": "square",
        "count": 4,
        "steps": 20,
        "guidance": "4",
        "seed": "",
        "scheduler": "default",
        "visibility": "team",
    }


def test_only_by_post(as_, alice):
    assert as_(alice).get(URL).status_code == 405


@pytest.mark.parametrize(("who", "status"), [("alice", 302), ("bob", 302), ("victor", 403), ("charlie", 302)])
def test_who_may_make_pictures_where_they_work(as_, alice, bob, victor, charlie, asked, who, status):
    user = User.objects.get(email=f"{who}@example.com")
    assert as_(user).post(URL, asked).status_code == status
    assert Job.objects.count() == (status == 302)
    assert not Job.objects.filter(owner=charlie).exclude(team=charlie.personal_team).exists()


def test_strangers_make_nothing(client, asked):
    assert client.post(URL, asked).url.startswith(reverse("account_login"))
    assert not Job.objects.exists()


def test_the_answer_is_the_card(as_, alice, asked):
    response = as_(alice).post(URL, asked, headers=HTMX)
    job = Job.objects.get()
    assert response.status_code == 200
    assert f'id="job-{job.pk}"' in response.content.decode()
    assert "<html" not in response.content.decode()


def test_every_setting_arrives(as_, alice, asked):
    settings = {"negative_prompt": "text", "format": "story", "count": 2, "steps": 33, "guidance": "2.5", "seed": 4127}
    as_(alice).post(URL, {**asked, **settings, "scheduler": "euler", "visibility": "private"})
    made = Generation.objects.select_related("job").get()
    assert (made.negative_prompt, made.format, made.count, made.steps) == ("text", "story", 2, 33)
    assert (made.guidance, made.seed, made.scheduler) == (2.5, 4127, "euler")
    assert made.job.visibility == "private"
    assert made.width < made.height


def test_empty_numbers_mean_the_models_own(as_, alice, asked, checkpoint):
    as_(alice).post(URL, {**asked, "steps": "", "guidance": "", "scheduler": ""})
    made = Generation.objects.get()
    assert (made.steps, made.guidance) == (checkpoint.default_steps, checkpoint.default_guidance)
    assert made.scheduler == checkpoint.default_scheduler


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "   "),
        ("prompt", "x" * 2001),
        ("checkpoint", "unknown"),
        ("format", "circle"),
        ("style", "unknown"),
        ("count", 0),
        ("count", 9),
        ("steps", 0),
        ("steps", 151),
        ("guidance", -1),
        ("guidance", "nan"),
        ("seed", -1),
        ("seed", 2**32),
        ("scheduler", "guess"),
        ("scheduler", "heun"),
        ("visibility", "everybody"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(as_, alice, asked, field, value):
    wrong = {**asked, "negative_prompt": "kept words", field: value}
    for headers in (HTMX, {}):
        response = as_(alice).post(URL, wrong, headers=headers)
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert "kept words" in response.content.decode()
    assert not Job.objects.exists()


def test_an_error_takes_the_composers_place(as_, alice, asked):
    response = as_(alice).post(URL, {**asked, "steps": 999}, headers=HTMX)
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#composer", "outerHTML")


def test_a_used_up_quota_is_told_in_plain_words(as_, alice, asked):
    alice.pictures_per_day = 3
    alice.save()
    response = as_(alice).post(URL, asked, headers=HTMX)
    assert response.status_code == 422
    assert "3" in response.context["form"].non_field_errors()[0]
    assert asked["prompt"] in response.content.decode()


def test_a_style_must_suit_the_model(as_, alice, asked, checkpoint):
    from generator.models import StylePreset

    StylePreset.objects.update_or_create(slug="oil", defaults={"name": "Oil painting", "families": ["sdxl"]})
    response = as_(alice).post(URL, {**asked, "style": "oil"}, headers=HTMX)
    assert "Oil painting" in response.context["form"].errors["style"][0]


def test_markup_in_a_prompt_stays_words(as_, alice, asked):
    page = as_(alice).post(URL, {**asked, "prompt": "<script>alert(1)</script>"}, headers=HTMX).content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_posting_needs_the_token(alice, asked):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(URL, asked).status_code == 403


def test_a_picture_to_start_from(as_, bob, asked, make_media):
    media = make_media(bob)
    as_(bob).post(URL, {**asked, "source": str(media.pk), "strength": "0.4"})
    made = Generation.objects.get()
    assert (made.way, made.source, made.strength, made.format) == ("image", media, 0.4, "square")


def test_without_a_picture_its_strength_says_nothing(as_, bob, asked):
    as_(bob).post(URL, {**asked, "strength": "0.4"})
    assert Generation.objects.get().way == "text"


@pytest.mark.parametrize("whose", ["private", "foreign", "none"])
def test_a_picture_that_one_may_not_start_from(as_, bob, alice, charlie, asked, make_media, whose):
    pictures = {
        "private": lambda: make_media(bob, visibility="private").pk,
        "foreign": lambda: make_media(charlie, team=charlie.personal_team).pk,
        "none": uuid4,
    }
    response = as_(alice).post(URL, {**asked, "source": str(pictures[whose]())})
    assert response.status_code == 422
    assert "cannot be started from" in response.content.decode()
    assert as_(alice).get(reverse("generator:references")).context["tiles"] == []
    assert not Job.objects.exists()
