"""Scheduler names: which suit a checkpoint, and that each walks exactly its steps."""

import json

import pytest

from generator.diffusion import pipelines, schedulers
from generator.diffusion.sampling import generate
from generator.diffusion.spec import SCHEDULERS, SpecError
from generator.diffusion.starter.assemble import WEIGHTS
from generator.diffusion.starter.card import read_card


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_each_scheduler_takes_exactly_its_steps(tiny_folder, spec_for, name, steps):
    seen = []
    spec = spec_for(tiny_folder("sd1"), scheduler=name, steps=steps, width=16, height=16)
    result = generate(spec, lambda step: seen.append(step.index))
    assert seen == list(range(1, steps + 1))
    assert result.scheduler == name


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if name != "default"])
def test_every_number_of_steps_has_that_many_timesteps(tiny_folder, name):
    pipeline = pipelines.load(str(tiny_folder("sd1")))
    for steps in range(1, 151):
        scheduler = schedulers.build(name, pipeline)
        scheduler.set_timesteps(steps)
        assert len(scheduler.timesteps) == (2 * steps - 1 if name == "heun" else steps)


def test_a_run_never_shares_a_scheduler(tiny_folder):
    pipeline = pipelines.load(str(tiny_folder("sd1")))
    assert schedulers.build("default", pipeline) is not pipeline.scheduler
    assert schedulers.build("unipc", pipeline) is not schedulers.build("unipc", pipeline)


def test_a_scheduler_takes_over_the_training_of_the_checkpoint(starter):
    scheduler = schedulers.build("euler", pipelines.load(str(starter)))
    assert scheduler.config.prediction_type == "v_prediction"
    assert scheduler.config.beta_schedule == "squaredcos_cap_v2"


def test_default_is_named_where_it_has_a_name(tiny_folder, starter):
    assert schedulers.resolve("default", pipelines.load(str(starter)).scheduler.config) == "dpmpp_2m"
    assert schedulers.resolve("default", pipelines.load(str(tiny_folder("sd1"))).scheduler.config) == "default"  # PNDM


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear"}, tuple(SCHEDULERS)),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, ("default", "euler")),
        ({"_class_name": "DPMSolverMultistepScheduler", "use_flow_sigmas": True}, ("default", "dpmpp_2m")),
        ({"_class_name": "SCMScheduler"}, ("default",)),
        ({"_class_name": "DDIMScheduler", "beta_schedule": "linear", "prediction_type": "sample"}, ("default",)),
        ({}, ("default",)),
    ],
)
def test_only_what_suits_a_checkpoint_is_offered(config, names):
    assert schedulers.suitable(config) == names


def test_karras_and_heun_need_a_largest_noise_level():
    config = {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "rescale_betas_zero_snr": True}
    assert not {"dpmpp_2m_karras", "heun"} & set(schedulers.suitable(config))


def test_what_does_not_suit_is_refused_in_plain_words(tiny_folder, spec_for):
    with pytest.raises(SpecError, match=r"“Heun” does not suit this model\. Choose one of: The model's own, Euler"):
        generate(spec_for(tiny_folder("sd3"), scheduler="heun"))


def test_the_starters_card_offers_what_suits_it():
    config = json.loads((WEIGHTS / "scheduler/scheduler_config.json").read_text())
    assert read_card()["schedulers"] == list(schedulers.suitable(config))
