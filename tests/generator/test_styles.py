"""A team's styles: versions that leave what was asked for alone, samples, and nobody else's business."""

import pytest
from django.core.exceptions import PermissionDenied

from generator import services
from generator.models import Generation, StylePreset
from generator.services import Refused, spec_of
from tests.words import STYLE


@pytest.fixture
def style(mona, studio, checkpoint) -> StylePreset:
    """A style of the studio."""
    return services.add_style(user=mona, team=studio, **STYLE)


def change(style: StylePreset, user, **changes) -> bool:
    """Changes some of it."""
    return services.change_style(user=user, style=style, **{**STYLE, **changes})


def test_a_request_keeps_the_words_that_it_was_made_with(style, mona, bob, make_job):
    job = make_job(bob, prompt="a shoe", style=style)
    assert change(style, mona, template="{prompt} in fog")
    style.refresh_from_db()
    asked = Generation.objects.get(pk=job.pk)
    assert asked.style_words["version"] == 1
    assert spec_of(asked).prompt == "a shoe, low autumn sun"
    assert spec_of(Generation.objects.get(pk=make_job(bob, prompt="a shoe", style=style).pk)).prompt == "a shoe in fog"
    assert [version.number for version in style.versions.all()] == [2, 1]


def test_another_name_alone_is_no_new_version(style, mona):
    assert not change(style, mona, name="Late light")
    style.refresh_from_db()
    assert (style.name, style.version) == ("Late light", 1)


def test_the_sample_is_a_job_of_whoever_saved_it(style, mona):
    job = services.draw_sample(user=mona, style=style)
    style.refresh_from_db()
    assert style.sample_job == job.pk
    assert (job.generation.count, job.generation.prompt, job.owner) == (1, "a red apple", mona)


def test_without_a_model_that_draws_it_there_is_no_sample(style, mona):
    change(style, mona, families=["flux"])
    style.refresh_from_db()
    with pytest.raises(Refused, match="no sample"):
        services.draw_sample(user=mona, style=style)


def test_a_retired_style_is_offered_to_nobody_until_it_is_put_back(style, mona, studio):
    services.retire_style(user=mona, style=style)
    assert style not in StylePreset.objects.offered_to(studio)
    services.retire_style(user=mona, style=style, retired=False)
    assert style in StylePreset.objects.offered_to(studio)


def test_a_style_of_another_team_is_not_offered_and_cannot_be_asked_for(style, charlie, as_, checkpoint):
    asked = {"prompt": "a pear", "count": 1, "format": "square", "checkpoint": "starter", "style": style.slug}
    assert as_(charlie).post("/create/", asked).status_code == 422
    with pytest.raises(PermissionDenied):
        services.create_generation(
            user=charlie, team=charlie.personal_team, checkpoint=checkpoint, prompt="a pear", style=style
        )


def test_creators_do_not_change_styles_and_nobody_those_that_ship(style, bob, mona):
    with pytest.raises(PermissionDenied):
        change(style, bob, name="Mine")
    with pytest.raises(PermissionDenied):
        change(StylePreset.objects.get(slug="3d-icon"), mona, name="Mine")
