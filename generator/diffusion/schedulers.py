"""Scheduler names -> diffusers schedulers, set up from a checkpoint's own settings. Only `build` needs diffusers.

The settings (`scheduler/scheduler_config.json` of a checkpoint) say how it was trained: noise schedule and prediction
type. A scheduler is one way to walk back along that, so any of them suits any checkpoint of the same kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from generator.diffusion.spec import SCHEDULERS, SpecError

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

# Class and the settings that make it what its name says; all the rest comes from the checkpoint.
_RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    # DPM-Solver++ (2M), Lu et al. 2022, arXiv:2211.01095, algorithm 2.
    "dpmpp_2m": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": False},
    ),
    # The same on the noise levels of Karras et al. 2022, arXiv:2206.00364, equation 5.
    "dpmpp_2m_karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    "dpmpp_2m_sde": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2, "use_karras_sigmas": False},
    ),
    # Zhao et al. 2023, arXiv:2302.04867.
    "unipc": ("UniPCMultistepScheduler", {"use_karras_sigmas": False}),
    # Karras et al. 2022, algorithm 1 without its correction; with fresh noise after each step; with the correction.
    "euler": ("EulerDiscreteScheduler", {"use_karras_sigmas": False}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {"use_karras_sigmas": False}),
    # Song et al. 2020, arXiv:2010.02502, equation 12 with sigma 0. Clipping is for pixels, and these are latents.
    "ddim": ("DDIMScheduler", {"clip_sample": False}),
}

# Karras spacing starts from the largest noise level, and Heun's correction of a step from there swamps all that follow.
_NEED_LARGEST_SIGMA = ("dpmpp_2m_karras", "heun")

# Flow matching has a noise schedule of its own, so only the scheduler that a checkpoint brings suits it.
_FLOW_NAMES = {
    "FlowMatchEulerDiscreteScheduler": "euler",
    "FlowMatchHeunDiscreteScheduler": "heun",
    "DPMSolverMultistepScheduler": "dpmpp_2m",
    "UniPCMultistepScheduler": "unipc",
}

# Checkpoints saved with one of these walk along a list of betas, which every scheduler in the table can take over.
_BETA_SCHEDULERS = {
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
}


def suitable(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in SCHEDULERS that suit a checkpoint with these scheduler settings, "default" first."""
    class_name = str(config.get("_class_name", ""))
    if is_flow(config):
        return ("default", _FLOW_NAMES[class_name]) if class_name in _FLOW_NAMES else ("default",)
    if class_name not in _BETA_SCHEDULERS or config.get("prediction_type", "epsilon") not in (
        "epsilon",
        "v_prediction",
    ):
        return ("default",)
    return tuple(name for name in SCHEDULERS if name not in _NEED_LARGEST_SIGMA or _has_largest_sigma(config))


def resolve(name: str, config: Mapping[str, Any]) -> str:
    """The plain name of what will run: "default" becomes the name of the checkpoint's own scheduler, if it has one.

    Raises SpecError for a name that does not suit the checkpoint.
    """
    names = suitable(config)
    if name not in names:
        raise SpecError(
            f"The scheduler “{SCHEDULERS.get(name, name)}” does not suit this model. "
            f"Choose one of: {', '.join(SCHEDULERS[other] for other in names)}."
        )
    if name != "default":
        return name
    if is_flow(config):
        return names[-1]
    return next((other for other in names[1:] if _is_recipe(other, config)), "default")


def build(name: str, pipeline: DiffusionPipeline) -> Any:
    """A new scheduler for one run: multistep ones keep what they have seen, so a run never shares one.

    Raises SpecError for a name that does not suit the pipeline's checkpoint.
    """
    import diffusers

    own = pipeline.scheduler
    name = resolve(name, own.config)
    if name == "default" or is_flow(own.config):
        return type(own).from_config(own.config)
    class_name, settings = _RECIPES[name]
    return getattr(diffusers, class_name).from_config(own.config, **settings)


def is_flow(config: Mapping[str, Any]) -> bool:
    """Whether a checkpoint with these scheduler settings was trained by flow matching."""
    return (
        str(config.get("_class_name", "")).startswith("FlowMatch")
        or bool(config.get("use_flow_sigmas"))
        or config.get("prediction_type") == "flow_prediction"
    )


def _has_largest_sigma(config: Mapping[str, Any]) -> bool:
    """Schedules that end in pure noise have no largest noise level to speak of: the starter's stands at 20,000."""
    return config.get("beta_schedule") in ("linear", "scaled_linear") and not config.get("rescale_betas_zero_snr")


def _is_recipe(name: str, config: Mapping[str, Any]) -> bool:
    class_name, settings = _RECIPES[name]
    return config.get("_class_name") == class_name and all(config.get(key) == settings[key] for key in settings)
