"""A model from scratch, a slice at a time: train_slice(spec, folder, on_step) -> finished?

As finetune.train_slice, over pretrain.pretrain. In the folder of the run beside its own: `points/`, each with samples
and the denoiser as it was; `model/`, a whole diffusers folder, whose denoiser a point's can take the place of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from generator.diffusion.spec import Step
from generator.diffusion.train import data, denoiser, export, likeness, loop, pdq, points, pretrain, slices
from generator.diffusion.train.scratch_spec import SHEET, ScratchSpec

HASHES = "hashes.npy"
MODEL, DENOISER = "model", "unet"
LOGGED = 400  # lines of the log, at most


def train_slice(
    spec: ScratchSpec,
    folder: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    *,
    seconds: float = slices.SLICE,
    should_yield: Callable[[], bool] = lambda: False,
) -> bool:
    """Trains for about so many seconds, at least one step, and saves; False where it is to be called again.

    on_step: told each step, and, while pictures are prepared between the two trainings, the last one again without a
    loss. Cancelled raised in it saves, and goes through. Raises SpecError and CheckpointError, with what to do.
    """
    may_stop = slices.limit(seconds, should_yield)
    pictures = _pictures(Path(spec.pictures), spec.size)

    def tell(step: Step) -> None:
        on_step(step)
        if step.index < spec.total:
            may_stop()

    def busy() -> None:
        on_step(Step(spec.autoencoder_steps, spec.total, ()))
        may_stop()

    def keep(pipeline: pretrain.Pipeline, step: int, samples: list[Image.Image], loss: float) -> None:
        _write_model(pipeline, folder)
        nearest = likeness.nearest(samples, _hashes(folder, Path(spec.pictures), spec.size))
        measures = points.Measures(validation=loss, likeness=0.0, nearest=nearest, drift=0.0)
        points.save(
            folder / "points",
            step,
            lambda fresh: export.save_denoiser(pipeline.unet, torch.float32, fresh / DENOISER),
            samples[:SHEET],
            (),
            measures,
        )

    try:
        pretrain.pretrain(_plan(spec), pictures, folder, tell, keep=keep, on_busy=busy)
    except slices.SliceOver:
        return False
    return True


def _write_model(pipeline: pretrain.Pipeline, folder: Path) -> None:
    """All of the model that points have in common, as soon as there is one."""
    if not (folder / MODEL).is_dir():
        fresh = folder / f".{MODEL}"
        pipeline.save_pretrained(fresh)
        fresh.rename(folder / MODEL)


def _plan(spec: ScratchSpec) -> pretrain.PretrainSpec:
    return pretrain.PretrainSpec(
        words_from=spec.words_from,
        size=spec.size,
        held_out=0.05,
        prompts=spec.samples,
        shape=denoiser.shape(spec.widths),
        autoencoder=loop.LoopSpec(
            steps=spec.autoencoder_steps,
            batch=pretrain.AUTOENCODER_BATCH,
            learning_rate=1e-3,
            warmup=min(50, spec.autoencoder_steps // 10),
            decay=spec.autoencoder_steps // 3,
            validate_every=max(1, spec.autoencoder_steps // 4),
            seed=spec.seed,
            save_every=spec.save_every,
        ),
        denoiser=loop.LoopSpec(
            steps=spec.steps,
            batch=spec.batch,
            learning_rate=spec.learning_rate,
            warmup=min(100, spec.steps // 10),
            decay=spec.steps // 3,
            average_decay=min(0.999, 1 - 10 / (10 + spec.steps)),
            validate_every=spec.point_every,
            sample_every=spec.point_every,
            log_every=max(1, spec.steps // LOGGED),
            seed=spec.seed,
            save_every=spec.save_every,
        ),
    )


def _pictures(folder: Path, size: int) -> pretrain.Pictures:
    """A folder that does not change any more: its table says what is in it."""
    examples = data.read_folder(folder)
    digest = sha256(f"{size}\n".encode() + "\n".join(f"{one.name}\t{one.caption}" for one in examples).encode())
    return pretrain.Pictures(digest.hexdigest(), len(examples), lambda: data.stream(examples, size))


def _hashes(run: Path, folder: Path, size: int) -> Sequence[np.ndarray]:
    """PDQ hashes of all pictures as they are trained on, made once."""
    file = run / HASHES
    if not file.is_file():
        found = [pdq.hash_picture(Image.fromarray(pixels)) for pixels, _caption in _pictures(folder, size).stream()]
        fresh = file.with_suffix(".new.npy")
        np.save(fresh, np.stack(found))
        fresh.replace(file)
    return list(np.load(file))
