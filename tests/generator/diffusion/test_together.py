"""generate_together(): the pictures of each as if it were alone; one that is dropped does not disturb the others."""

import pytest

from generator.diffusion.sampling import generate
from generator.diffusion.spec import Apart, Cancelled
from generator.diffusion.together import generate_together
from tests.generator.diffusion import tiny
from tests.generator.diffusion.test_sampling import largest_difference

FAMILIES = sorted(tiny.FAMILIES)


def _ignore(step):
    pass


@pytest.mark.parametrize("family", FAMILIES)
def test_each_gets_its_own_pictures_steps_and_previews(tiny_folder, spec_for, family):
    folder = tiny_folder(family)
    specs = [
        spec_for(folder, prompt="a red apple", seed=5),
        spec_for(folder, prompt="two blue boats", seed=9, count=2),
        spec_for(folder, prompt="a cat", seed=5),
    ]
    told = [[], [], []]
    results = generate_together(specs, [steps.append for steps in told])
    for spec, result, steps in zip(specs, results, told, strict=True):
        alone = generate(spec)
        assert result.seeds == spec.seeds
        assert [(step.index, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
        assert [len(step.previews) for step in steps] == [spec.count] * 3
        for one, other in zip(result.images, alone.images, strict=True):
            assert largest_difference(one, other) <= 2


def test_the_starter_draws_the_same_alone_and_in_company(starter, spec_for):
    words = ["a red apple, 3d icon", "a blue boat", "a green tree on a hill", "a cat"]
    specs = [spec_for(starter, prompt=prompt, seed=seed, steps=4) for seed, prompt in enumerate(words)]
    together = generate_together(specs, [_ignore] * 4)
    for spec, result in zip(specs, together, strict=True):
        assert largest_difference(result.images[0], generate(spec).images[0]) <= 2


@pytest.mark.parametrize("negative", ["", "rain"])
@pytest.mark.parametrize("scheduler", ["euler_a", "dpmpp_2m_sde"])
def test_noise_within_a_run_is_each_ones_own(starter, spec_for, scheduler, negative):
    say = {"scheduler": scheduler, "negative_prompt": negative}
    specs = [spec_for(starter, prompt=prompt, seed=3, **say) for prompt in ("a red apple", "a cat")]
    together = generate_together(specs, [_ignore] * 2)
    for spec, result in zip(specs, together, strict=True):
        assert largest_difference(result.images[0], generate(spec).images[0]) <= 2


def test_one_that_is_dropped_hears_nothing_more_and_the_others_go_on(starter, spec_for):
    heard = []

    def stop(step):
        heard.append(step.index)
        raise Cancelled

    specs = [spec_for(starter, prompt="a red apple", seed=1), spec_for(starter, prompt="a cat", seed=2)]
    dropped, kept = generate_together(specs, [stop, _ignore])
    assert isinstance(dropped, Cancelled)
    assert heard == [1]
    assert largest_difference(kept.images[0], generate(specs[1]).images[0]) <= 2


def test_it_ends_when_nobody_is_left(starter, spec_for):
    heard = []

    def stop_at(number):
        def stop(step):
            heard.append((number, step.index))
            if step.index == number:
                raise Cancelled

        return stop

    specs = [spec_for(starter, prompt="a red apple", seed=1, steps=8)] * 2
    outcomes = generate_together(specs, [stop_at(1), stop_at(2)])
    assert [type(one) for one in outcomes] == [Cancelled] * 2
    assert max(index for _number, index in heard) == 2


@pytest.mark.parametrize("change", [{"steps": 4}, {"width": 128}, {"guidance": 2.0}, {"negative_prompt": "rain"}])
def test_what_differs_in_more_than_words_is_refused(starter, spec_for, change):
    specs = [spec_for(starter), spec_for(starter, **change)]
    with pytest.raises(ValueError, match="together"):
        generate_together(specs, [_ignore] * 2)


def test_prompts_that_are_read_in_different_lengths_cannot_be_made_together(tiny_folder, spec_for):
    folder = tiny_folder("sd1")
    with pytest.raises(Apart):
        generate_together([spec_for(folder, prompt="a red apple " * 60), spec_for(folder)], [_ignore] * 2)
