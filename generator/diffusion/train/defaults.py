"""Good defaults for teaching, by family of checkpoints and number of pictures. Imports no torch.

Ranks, rates and steps of the large families are those of diffusers' own training examples (train_dreambooth_lora*.py,
textual_inversion*.py) and of the papers; the starter's were tried on one subject at small size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
from types import MappingProxyType
from typing import Any

from generator.diffusion.starter.card import read_concepts

METHODS = MappingProxyType({"lora": "LoRA", "embedding": "Textual inversion", "full": "All weights"})

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
JOINT_ATTENTION = tuple(f"attn.{name}" for name in (*ATTENTION, "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"))
FEED_FORWARD = ("ff.net.0.proj", "ff.net.2")
SAMPLES = ("a photo of {}", "a photo of {} on a beach", "a drawing of {} on a blue background")
STYLE_SAMPLES = ("a house by a lake, {} style", "a portrait of a woman, {} style", "a bowl of fruit, {} style")
COLOURS = ("white", "navy blue", "yellow", "green", "pink", "purple", "orange")
# While the starter learns a thing it is shown every tenth of its own: about a hundred, two minutes of drawing.
OTHER_THINGS = 10
OTHERS = ("a photo of a red apple on a table", "a city street in the rain")


@dataclass(frozen=True, kw_only=True)
class Family:
    """How checkpoints of a family are taught.

    rates: learning rate by method. phrase: how a caption of a picture without one begins. vectors: of an embedding.
    parameters: of the denoiser, in millions; others_parameters: of its text encoders and autoencoder.
    """

    label: str
    size: int = 512
    batch: int = 1
    rank: int = 16
    style_rank: int = 32
    rates: MappingProxyType[str, float] = field(
        default_factory=lambda: MappingProxyType({"lora": 1e-4, "full": 5e-6, "embedding": 5e-3})
    )
    targets: tuple[str, ...] = ATTENTION
    takes_embeddings: bool = True
    takes_min_snr: bool = True
    vectors: int = 4
    timesteps: str = "uniform"
    timestep_mean: float = 0.0
    phrase: str = "a photo of {}"
    samples: tuple[str, ...] = SAMPLES
    style_samples: tuple[str, ...] = STYLE_SAMPLES
    others: tuple[str, ...] = OTHERS
    guidance: float = 7.0
    steps_per_picture: int = 100
    min_steps: int = 400
    max_steps: int = 2000
    parameters: int = 860
    others_parameters: int = 210


FAMILIES = MappingProxyType(
    {
        "starter": Family(
            label="The starter",
            size=128,
            batch=8,
            rank=32,
            rates=MappingProxyType({"lora": 5e-4, "full": 1e-4, "embedding": 1e-2}),
            targets=(*ATTENTION, *FEED_FORWARD, "conv1", "conv2", "proj_in", "proj_out"),
            vectors=6,
            timesteps="logit_normal",
            timestep_mean=0.6,
            phrase="3d render of {}",
            samples=("3d render of {} on a white background", "3d render of {} on a blue background"),
            style_samples=("a rocket on a white background, {} style", "a red apple, {} style"),
            others=(
                "3d render of a rocket on a navy blue background",
                "3d render of a sunflower on a white background",
            ),
            guidance=3.0,
            steps_per_picture=20,
            min_steps=200,
            max_steps=500,
            parameters=27,
            others_parameters=27,
        ),
        "sd1": Family(label="Stable Diffusion 1"),
        "sd2": Family(label="Stable Diffusion 2", size=768, others_parameters=420),
        "sdxl": Family(label="Stable Diffusion XL", size=1024, rank=16, parameters=2570, others_parameters=900),
        "sd3": Family(
            label="Stable Diffusion 3",
            size=1024,
            targets=JOINT_ATTENTION,
            takes_embeddings=False,
            takes_min_snr=False,
            timesteps="logit_normal",
            guidance=5.0,
            parameters=2030,
            others_parameters=5600,
        ),
        "flux": Family(
            label="FLUX",
            size=1024,
            targets=(*JOINT_ATTENTION, *FEED_FORWARD, "ff_context.net.0.proj", "ff_context.net.2"),
            takes_min_snr=False,
            timesteps="logit_normal",
            guidance=3.5,
            parameters=11_900,
            others_parameters=4900,
        ),
    }
)


def priors_for(family: str, noun: str) -> dict[str, Any]:
    """What else than its noun a small model has to see, or it forgets other things."""
    if family != "starter":
        return {}
    some = [
        f"3d render of {thing} on a {colour} background"
        for thing, colour in zip(read_concepts()[::OTHER_THINGS], cycle(COLOURS), strict=False)
    ]
    return {"prior_prompts": (f"3d render of {noun}", *some), "prior_pictures": 1 + len(some), "prior_guidance": 1.0}


def steps_for(family: str, method: str, kind: str, count: int) -> int:
    """Steps of training for `count` pictures; textual inversion has less to learn with and needs twice as many."""
    one = FAMILIES[family]
    steps = min(one.max_steps, max(one.min_steps, count * one.steps_per_picture))
    return round(steps * (2 if method == "embedding" else 1.5 if kind == "style" else 1))
