"""A text-to-image model from scratch, out of nothing but pictures with captions.

Three stages, each resumable: the autoencoder, the cache of latents and embeddings, the denoiser. The text encoder is
taken over, frozen. The result is an ordinary diffusers folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image

from generator.diffusion import noise, pipelines
from generator.diffusion.spec import SIZE_MULTIPLE, SpecError, Step
from generator.diffusion.starter.autoencoder import PatchAutoencoder
from generator.diffusion.train import autoencoder, cache, data, denoiser, loop, store
from generator.diffusion.train.autoencoder import Autoencoder
from generator.diffusion.train.cache import to_tensor

# A StableDiffusionPipeline. mypy sees little of it, because diffusers builds its own modules lazily.
Pipeline = Any

# (pipeline, with its averaged weights; step; samples; loss on what was held out): what becomes of samples.
Keep = Callable[[Pipeline, int, list[Image.Image], float], None]

MIN_SIZE = 32
# The autoencoder learns from few pictures at a time: they are large next to latents.
AUTOENCODER_BATCH = 8
VALIDATED = 256
SAMPLE_STEPS, SAMPLE_GUIDANCE, SAMPLES = 20, 4.0, 9


@dataclass(frozen=True, kw_only=True)
class PretrainSpec:
    """What to train. Raises SpecError for values that make no sense.

    size: side of the pictures in pixels. held_out: share of them kept apart for validation.
    words_from: a checkpoint whose tokenizer and text encoder are taken over.
    prompts: what the sample sheets show; without any, captions of pictures held out.
    """

    words_from: str
    size: int = 128
    held_out: float = 0.02
    prompts: tuple[str, ...] = ()
    shape: denoiser.DenoiserSpec = field(default_factory=denoiser.DenoiserSpec)
    autoencoder: loop.LoopSpec = field(
        default_factory=lambda: loop.LoopSpec(
            steps=1000, batch=AUTOENCODER_BATCH, learning_rate=1e-3, warmup=50, decay=300
        )
    )
    denoiser: loop.LoopSpec = field(default_factory=lambda: loop.LoopSpec(steps=10_000, decay=3000, sample_every=1000))

    def __post_init__(self) -> None:
        multiple = SIZE_MULTIPLE * 2 ** (len(self.shape.widths) - 1)
        if self.size < MIN_SIZE or self.size % multiple:
            raise SpecError(f"The size must be a multiple of {multiple} of at least {MIN_SIZE}, not {self.size}.")
        if not 0 < self.held_out < 1:
            raise SpecError(f"The share held out must be between 0 and 1, not {self.held_out}.")


@dataclass(frozen=True)
class Pictures:
    """`count` pictures (RGB [size, size, 3] uint8, with captions), to be gone through once; `key` changes with them."""

    key: str
    count: int
    stream: Callable[[], Iterator[tuple[np.ndarray, str]]]


def from_folder(folder: Path, size: int) -> Pictures:
    """A folder of pictures as it is, cropped to squares. Raises data.DataError."""
    examples = data.read_folder(folder)
    return Pictures(data.fingerprint(examples), len(examples), lambda: data.stream(examples, size))


def pretrain(
    spec: PretrainSpec,
    pictures: Pictures,
    folder: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    *,
    keep: Keep = lambda pipeline, step, samples, loss: None,
    on_busy: Callable[[], None] = lambda: None,
) -> Path:
    """Trains, or goes on where it stopped, in `folder`; returns `folder/model`, a diffusers folder.

    `on_step` is told both trainings as one. Cancelled raised in it stops; calling again goes on. `on_busy` is called
    between two steps' worth of what is no step, and may raise it as well.
    keep: called where samples are due.
    """
    train, held_out = data.split(pictures.count, spec.held_out, spec.denoiser.seed)
    total = spec.autoencoder.steps + spec.denoiser.steps
    with loop.main_first():
        pixels, captions = store.keep(pictures.stream, pictures.count, folder / "pictures", pictures.key)
    vae = _train_autoencoder(spec, pixels, train, held_out, folder, lambda step: on_step(replace(step, total=total)))
    words = pipelines.load(spec.words_from)
    with loop.main_first():
        latents = _cache_latents(vae, words, pixels, captions, folder, on_busy)
    torch.manual_seed(spec.denoiser.seed)
    unet = denoiser.make(
        spec.shape,
        latent_channels=vae.config.latent_channels,
        sample_size=spec.size // SIZE_MULTIPLE,
        text_width=words.text_encoder.config.hidden_size,
    )
    pipeline = assemble(vae, unet, words)
    loop.train(
        _denoiser_task(spec, latents, train, held_out, pipeline, keep),
        spec.denoiser,
        folder / "denoiser",
        lambda step: on_step(replace(step, index=spec.autoencoder.steps + step.index, total=total)),
    )
    loop.write_once(lambda: pipeline.to("cpu").save_pretrained(folder / "model"))
    return folder / "model"


def assemble(vae: Autoencoder, unet: UNet2DConditionModel, words: Pipeline) -> Pipeline:
    """An ordinary pipeline of the parts, with the text encoder of `words` and the scheduler that suits the training."""
    return StableDiffusionPipeline(
        vae=vae,
        unet=unet,
        text_encoder=words.text_encoder,
        tokenizer=words.tokenizer,
        scheduler=DPMSolverMultistepScheduler(
            beta_schedule="squaredcos_cap_v2",
            prediction_type="v_prediction",
            algorithm_type="dpmsolver++",
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def draw(
    pipeline: Pipeline,
    prompts: Sequence[str],
    size: int,
    seed: int = 0,
    guidance: float = SAMPLE_GUIDANCE,
) -> list[Image.Image]:
    """A picture for each prompt, RGB of `size` pixels; the same noise every time, so that sheets can be compared."""
    pipeline.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(seed + number) for number in range(len(prompts))]
    return pipeline(
        list(prompts),
        width=size,
        height=size,
        num_inference_steps=SAMPLE_STEPS,
        guidance_scale=guidance,
        generator=generators,
    ).images


def _train_autoencoder(
    spec: PretrainSpec,
    pixels: np.ndarray,
    train: np.ndarray,
    held_out: np.ndarray,
    folder: Path,
    on_step: Callable[[Step], None],
) -> Autoencoder:
    finished = folder / "vae"
    if (finished / "config.json").is_file():
        return PatchAutoencoder.from_pretrained(finished)
    seed = spec.autoencoder.seed
    torch.manual_seed(seed)
    model = autoencoder.make(spec.size)
    some = np.random.default_rng(seed).permutation(train)[: autoencoder.PCA_PICTURES]
    sample = to_tensor(pixels[np.sort(some)])
    autoencoder.start_from_pca(model, sample)
    apart = to_tensor(pixels[held_out[: spec.autoencoder.batch * 4]])
    task = loop.Task(
        model,
        autoencoder.Draws(pixels, train, model.config.latent_channels, spec.autoencoder.batch, seed),
        autoencoder.loss,
        validate=lambda model: {"psnr": autoencoder.psnr(model, apart)},
    )
    loop.train(task, spec.autoencoder, folder / "autoencoder", on_step)
    autoencoder.set_scale(model, sample)
    loop.write_once(lambda: model.save_pretrained(finished))
    return model


def _cache_latents(
    vae: Autoencoder,
    words: Pipeline,
    pixels: np.ndarray,
    captions: Sequence[str],
    folder: Path,
    on_busy: Callable[[], None],
) -> cache.Cache:
    # What the latents depend on: the pictures' key is in the pixels' folder, and a new autoencoder has new weights.
    weights = folder / "vae/diffusion_pytorch_model.safetensors"
    key = sha256(weights.read_bytes() + "\n".join(captions).encode()).hexdigest()
    return cache.load(folder / "cache", key) or cache.build(
        folder / "cache",
        key,
        zip(pixels, captions, strict=True),
        len(captions),
        partial(autoencoder.encode, vae),
        partial(cache.embed, words.tokenizer, words.text_encoder),
        on_busy,
    )


def _denoiser_task(
    spec: PretrainSpec,
    latents: cache.Cache,
    train: np.ndarray,
    held_out: np.ndarray,
    pipeline: Pipeline,
    keep: Keep,
) -> loop.Task:
    kept = noise.kept_signal(noise.cosine_betas())
    batch, seed = spec.denoiser.batch, spec.denoiser.seed
    apart = denoiser.Draws(latents, held_out, kept, batch, seed)
    shown = dict.fromkeys(latents.captions[place] for place in latents.caption_of[held_out])
    prompts = (spec.prompts or tuple(shown))[:SAMPLES]

    loss = 0.0

    def validate(model: torch.nn.Module) -> dict[str, float]:
        nonlocal loss
        loss = denoiser.validation_loss(model, apart, VALIDATED)
        return {"validation_loss": loss}

    def sample(model: torch.nn.Module, step: int) -> list[Image.Image]:
        drawn = draw(pipeline.to(next(model.parameters()).device), prompts, spec.size)
        keep(pipeline, step, drawn, loss)
        return drawn

    return loop.Task(
        pipeline.unet,
        denoiser.Draws(latents, train, kept, batch, seed),
        denoiser.loss,
        validate=validate,
        sample=sample,
    )
