"""How long teaching takes and how much memory it needs, before it begins. Imports no torch."""

from __future__ import annotations

from generator.diffusion.train.defaults import FAMILIES
from generator.diffusion.train.spec import FinetuneSpec

MIB = 2**20
FLOAT, HALF = 4, 2
# Bytes a trained weight needs: itself, its gradient and Adam's two moments, all in float32.
TRAINED = 4 * FLOAT
# Activations of one picture at the family's own size, as a share of the denoiser's weights in half precision: a
# cautious guess, never measured on a device of that size; a tenth of it with gradient checkpointing, likewise.
ACTIVATIONS, CHECKPOINTED = 2.0, 0.2
LORA_SHARE = 0.0005  # of the weights, for each rank
SAMPLE_SHARE = 1 / 3  # of a training step: a denoising step has no way back
GUIDED = 2  # passes of a denoising step with guidance


def seconds(spec: FinetuneSpec, step_s: float, picture_s: float | None = None) -> float:
    """Of a whole training, where a step takes step_s and a picture picture_s (measured; else told from the step)."""
    if picture_s is None:
        picture_s = step_s / spec.batch * SAMPLE_SHARE * GUIDED * spec.sample_steps
    drawn = (spec.points + 1) * (len(spec.samples) + len(spec.others))
    if spec.has_prior:
        drawn += spec.prior_pictures
    return spec.steps * spec.accumulate * step_s + drawn * picture_s


def memory(spec: FinetuneSpec, is_half: bool = False) -> int:
    """Bytes of the device's memory, all in all; is_half: the checkpoint is held in 16 bits."""
    family = FAMILIES[spec.family]
    weights = family.parameters * 1e6
    held = (family.parameters + family.others_parameters) * 1e6 * (HALF if is_half else FLOAT)
    trained = {"full": weights, "lora": weights * LORA_SHARE * spec.rank, "embedding": 0.0}[spec.method] * TRAINED
    rows = spec.batch * (2 if spec.has_prior else 1)
    share = CHECKPOINTED if spec.gradient_checkpointing else 1.0
    area = (spec.size / family.size) ** 2
    activations = weights * (HALF if is_half else FLOAT) * ACTIVATIONS * share * area * rows
    return round(held + trained + activations) + 512 * MIB
