"""generate(spec, on_step): text to image over any diffusers pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor

from generator.diffusion import pipelines, preview, prompts, schedulers
from generator.diffusion.spec import CheckpointError, ImageSpec, LazyPreviews, Result, SpecError, Step, Timings

OnStep = Callable[[Step], object]


def generate(spec: ImageSpec, on_step: OnStep | None = None, *, pipeline: DiffusionPipeline | None = None) -> Result:
    """Makes the pictures of a spec, calling `on_step` once after each of its steps.

    pipeline stands in for the spec's checkpoint where the caller has it at hand; one runs one spec at a time. The same
    spec on the same machine gives the same bytes. Whatever `on_step` raises, `Cancelled` above all, ends the run before
    the next step and is passed on; the pipeline is then as good as new. Raises SpecError where the checkpoint cannot do
    what was asked, CheckpointError where it cannot be loaded or makes no pictures from text.
    """
    started = perf_counter()
    if pipeline is None:
        pipeline = pipelines.load(spec.checkpoint)
    scheduler_name = schedulers.resolve(spec.scheduler, pipeline.scheduler.config)
    parameters = inspect.signature(pipeline.__call__).parameters
    progress = _Progress(spec, pipeline, on_step)
    arguments = _arguments(spec, pipeline, parameters) | progress.arguments(parameters)
    loaded = perf_counter()
    with _scheduler(pipeline, schedulers.build(spec.scheduler, pipeline)), _first_call(pipeline) as encoded:
        images = _run(pipeline, spec, arguments)
    finished = perf_counter()
    denoising = encoded[0] if encoded else loaded
    return Result(
        images=tuple(image.convert("RGB") for image in images),
        seeds=spec.seeds,
        timings=Timings(
            load_s=loaded - started,
            encode_s=denoising - loaded,
            denoise_s=progress.last_step - denoising,
            decode_s=finished - progress.last_step,
        ),
        device=str(pipeline.device),
        dtype=pipelines.name_dtype(pipeline.dtype),
        scheduler=scheduler_name,
    )


class _Progress:
    """Turns the callbacks of a pipeline into one Step for each step of the spec."""

    def __init__(self, spec: ImageSpec, pipeline: DiffusionPipeline, on_step: OnStep | None) -> None:
        self.spec = spec
        self.pipeline = pipeline
        self.on_step = on_step
        self.index = 0
        self.last_step = perf_counter()

    def arguments(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What to pass to a pipeline with these parameters, so that it reports its steps."""
        if "callback_on_step_end" in parameters:
            return {"callback_on_step_end": self._on_step_end}
        if "callback" in parameters and "callback_steps" in parameters:  # PixArt and a few others, still
            return {"callback": self._on_callback, "callback_steps": 1}
        raise CheckpointError(f"A {type(self.pipeline).__name__} does not report its steps, so it cannot be used here.")

    def _on_step_end(
        self, pipeline: DiffusionPipeline, call: int, _: Any, tensors: dict[str, Tensor]
    ) -> dict[str, Any]:
        # Second-order schedulers run the denoiser twice a step, others once more for a start: calls are not steps.
        index = (call + 1) * self.spec.steps // len(pipeline.scheduler.timesteps)
        if index > self.index:
            self._tell(index, tensors["latents"])
        return {}

    def _on_callback(self, _call: int, _timestep: Any, latents: Tensor) -> None:
        self._tell(self.index + 1, latents)

    def _tell(self, index: int, latents: Tensor) -> None:
        if latents.device.type != "cpu":
            # So far the step is only queued. It counts once it is done, and a cancel must not wait for a queue.
            torch.accelerator.synchronize(latents.device)
        self.index = index
        if self.on_step is not None:
            show = partial(
                preview.render,
                self.pipeline,
                latents,
                noise=preview.noise_level(self.pipeline.scheduler),
                width=self.spec.width,
                height=self.spec.height,
            )
            self.on_step(Step(index, self.spec.steps, LazyPreviews(self.spec.count, show)))
        self.last_step = perf_counter()


def _arguments(spec: ImageSpec, pipeline: DiffusionPipeline, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of this pipeline's __call__ that say what the spec says."""
    family = type(pipeline).__name__
    needed = {"prompt", "width", "height", "num_inference_steps", "num_images_per_prompt", "generator"}
    if not needed <= parameters.keys():
        raise CheckpointError(f"A {family} makes no pictures from text, so it cannot be used here.")
    multiple = _size_multiple(pipeline)
    for side, pixels in (("width", spec.width), ("height", spec.height)):
        if pixels % multiple:
            raise SpecError(f"For this model the {side} must be a multiple of {multiple} pixels, not {pixels}.")
    arguments: dict[str, Any] = {
        "prompt": spec.prompt,
        "width": spec.width,
        "height": spec.height,
        "num_inference_steps": spec.steps,
        "num_images_per_prompt": spec.count,
        # On the CPU whatever the device, so that a seed means the same noise everywhere; one each, so that a picture
        # does not depend on those beside it.
        "generator": [torch.Generator().manual_seed(seed) for seed in spec.seeds],
    }
    if spec.negative_prompt and "negative_prompt" not in parameters:
        raise SpecError("This model knows no negative prompt. Leave it empty.")
    if _guides_truly(spec, parameters):
        # These take guidance from a second pass, which they only make when there is some negative prompt.
        arguments |= {"true_cfg_scale": spec.guidance, "negative_prompt": spec.negative_prompt or " "}
    else:
        if spec.negative_prompt:
            arguments["negative_prompt"] = spec.negative_prompt
        if "guidance_scale" in parameters:
            arguments["guidance_scale"] = spec.guidance
    return arguments


def _guides_truly(spec: ImageSpec, parameters: Mapping[str, Any]) -> bool:
    """Whether guidance goes by `true_cfg_scale`: always where that is on by default (Qwen-Image), in families that have
    learned guidance as an input (FLUX) only for a negative prompt."""
    true_scale = parameters.get("true_cfg_scale")
    return true_scale is not None and (true_scale.default > 1 or bool(spec.negative_prompt))


def _size_multiple(pipeline: DiffusionPipeline) -> int:
    """What width and height must be multiples of: the autoencoder's factor, times the patch of a transformer."""
    factor = int(getattr(pipeline, "vae_scale_factor", 1))
    if hasattr(pipeline, "_pack_latents"):
        return 2 * factor
    transformer = getattr(pipeline, "transformer", None)
    patch = getattr(getattr(transformer, "config", None), "patch_size", None)
    return factor * patch if isinstance(patch, int) else factor


def _run(pipeline: Any, spec: ImageSpec, arguments: dict[str, Any]) -> list[Any]:
    try:
        with torch.inference_mode():
            if encoded := prompts.embeddings(pipeline, spec):
                arguments = arguments | encoded | {"prompt": None, "negative_prompt": None}
            output = pipeline(**arguments)
    except torch.OutOfMemoryError:
        raise SpecError(
            "There was not enough memory for this. Ask for fewer pictures at once, or for smaller ones."
        ) from None
    if not hasattr(output, "images"):
        raise CheckpointError(f"A {type(pipeline).__name__} makes no still pictures, so it cannot be used here.")
    return list(output.images)


@contextmanager
def _scheduler(pipeline: DiffusionPipeline, scheduler: Any) -> Iterator[None]:
    """Lends a scheduler to a pipeline for one run, and leaves the pipeline clean however the run ended."""
    own = pipeline.scheduler
    pipeline.scheduler = scheduler
    try:
        yield
    finally:
        pipeline.scheduler = own
        # A run that was cut short has not taken its offloaded models and feature caches back itself.
        pipeline.maybe_free_model_hooks()


@contextmanager
def _first_call(pipeline: DiffusionPipeline) -> Iterator[list[float]]:
    """Holds, afterwards, the time at which the denoiser was first called: the end of encoding."""
    times: list[float] = []
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    if denoiser is None:
        yield times
        return

    def note(*_: Any) -> None:
        times.append(perf_counter())
        handle.remove()

    handle = denoiser.register_forward_pre_hook(note)
    try:
        yield times
    finally:
        handle.remove()
