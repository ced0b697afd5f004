"""generate(spec, on_step): pictures from text and from pictures, over any diffusers pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from time import perf_counter
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL.Image import Image
from torch import Tensor

from generator.diffusion import adapters, memory, pipelines, preview, prompts, schedulers
from generator.diffusion.spec import Apart, CheckpointError, ImageSpec, LazyPreviews, Result, SpecError, Step, Timings
from generator.diffusion.ways import control, hires, image, inpaint, latents, reference
from generator.diffusion.ways.geometry import Spec
from generator.diffusion.ways.late import LateScheduler
from generator.diffusion.ways.retouch import retouch
from generator.diffusion.ways.spec import CutoutSpec, HiresSpec, UpscaleSpec
from generator.diffusion.ways.steps import OnStep


def generate(spec: Spec, on_step: OnStep | None = None, *, pipeline: DiffusionPipeline | None = None) -> Result:
    """Makes the pictures of a spec, calling `on_step` once after each of its steps.

    pipeline stands in for the spec's checkpoint where the caller has it at hand; one runs one spec at a time. The same
    spec on the same machine gives the same bytes. Whatever `on_step` raises, `Cancelled` above all, ends the run before
    the next step and is passed on; the pipeline is then as good as new. Raises SpecError where the checkpoint cannot do
    what was asked, CheckpointError where it cannot be loaded or makes no pictures from text.
    """
    if isinstance(spec, UpscaleSpec | CutoutSpec):
        return retouch(spec, on_step)
    started = perf_counter()
    drawn = spec.draw if isinstance(spec, HiresSpec) else spec
    if pipeline is None:
        pipeline = pipelines.load(drawn.checkpoint)
    adapters.wear(pipeline, drawn.adapters)
    drawer = control.led(pipeline, drawn.structure.model) if drawn.structure else pipeline
    with reference.referred(drawer, drawn.reference) as more:
        painter = Painter(drawer, drawn.scheduler, more)
        loaded = perf_counter()
        images = _images(spec, painter, on_step)
    return Result(
        images=tuple(one.convert("RGB") for one in images),
        seeds=drawn.seeds,
        timings=Timings(load_s=loaded - started, **painter.spent),
        device=str(pipeline.device),
        dtype=pipelines.name_dtype(pipeline.dtype),
        scheduler=painter.scheduler_name,
        plan=str(memory.plan_of(pipeline)),
    )


def _images(spec: ImageSpec | HiresSpec, painter: Painter, on_step: OnStep | None) -> list[Image]:
    if isinstance(spec, HiresSpec):
        return [hires.refine(spec, painter, on_step)]
    if spec.mask or spec.margins:
        return inpaint.fill(spec, painter, on_step)
    return painter(spec, on_step)


class Painter:
    """Draws specs with one pipeline and one kind of scheduler, and adds up the seconds that it takes."""

    def __init__(self, pipeline: DiffusionPipeline, scheduler: str, more: dict[str, Any]) -> None:
        """`more` is passed to each call of the pipeline as it is."""
        self.pipeline: Any = pipeline
        self.more = more
        self.scheduler = scheduler
        self.scheduler_name = schedulers.resolve(scheduler, pipeline.scheduler.config)
        self.size_multiple = _size_multiple(pipeline)
        self.spent = {"encode_s": 0.0, "denoise_s": 0.0, "decode_s": 0.0}

    def __call__(self, spec: ImageSpec, on_step: OnStep | None, starts: Sequence[Image] | None = None) -> list[Image]:
        """The pictures of a spec, each from its own of `starts` where those are given.

        A mask is one of the size that is drawn, and keeps what is black in it near to the start, not the same.
        """
        begun = perf_counter()
        pipeline = self.pipeline
        parameters = inspect.signature(pipeline.__call__).parameters
        progress = _Progress(spec, pipeline, on_step, spec.count)
        arguments = _arguments(spec, pipeline, parameters) | progress.arguments(parameters) | self.more
        if spec.structure:
            arguments |= control.arguments(spec, pipeline)
        scheduler = schedulers.build(self.scheduler, pipeline)
        if entry := image.enter(pipeline, spec, arguments["generator"], starts):
            scheduler = LateScheduler(scheduler, entry)
            arguments["latents"] = entry.first
        elif spec.variation:
            size = latents.drawn_size(pipeline, (spec.width, spec.height))
            noise = latents.noise(pipeline, size, arguments["generator"], spec.variation)
            arguments["latents"] = latents.pack(pipeline, noise)
        with self._timed(progress, begun), _scheduler(pipeline, scheduler):
            return _run(pipeline, arguments, lambda: prompts.embeddings(pipeline, spec))

    def together(self, specs: Sequence[ImageSpec], on_step: OnStep | None) -> list[Image]:
        """The pictures of specs that differ in words and seeds, one after the other, from one call. Raises Apart."""
        begun = perf_counter()
        pipeline, lead = self.pipeline, specs[0]
        parameters = inspect.signature(pipeline.__call__).parameters
        each = [spec for spec in specs for _picture in range(spec.count)]
        progress = _Progress(lead, pipeline, on_step, len(each))
        arguments = _arguments(lead, pipeline, parameters) | progress.arguments(parameters)
        arguments |= {
            "prompt": [spec.prompt for spec in each],
            "num_images_per_prompt": 1,
            "generator": [torch.Generator().manual_seed(seed) for spec in specs for seed in spec.seeds],
        }
        if "negative_prompt" in arguments:
            arguments["negative_prompt"] = [
                _arguments(spec, pipeline, parameters).get("negative_prompt", "") for spec in each
            ]
        scheduler = schedulers.build(self.scheduler, pipeline)
        with self._timed(progress, begun), _scheduler(pipeline, scheduler), suppress(torch.OutOfMemoryError):
            output = _call(pipeline, arguments, lambda: prompts.embeddings_together(pipeline, each))
            return _images_of(pipeline, output)
        raise Apart("There was not enough memory for all of them.", is_too_large=True)

    @contextmanager
    def _timed(self, progress: _Progress, begun: float) -> Iterator[None]:
        with _first_call(self.pipeline) as encoded:
            yield
        finished = perf_counter()
        denoising = encoded[0] if encoded else begun
        self.spent["encode_s"] += denoising - begun
        self.spent["denoise_s"] += progress.last_step - denoising
        self.spent["decode_s"] += finished - progress.last_step


class _Progress:
    """Turns the callbacks of a pipeline into one Step for each step of the spec."""

    def __init__(self, spec: ImageSpec, pipeline: DiffusionPipeline, on_step: OnStep | None, pictures: int) -> None:
        self.spec = spec
        self.pictures = pictures
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
        index = (call + 1) * self.spec.run_steps // len(pipeline.scheduler.timesteps)
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
            self.on_step(Step(index, self.spec.run_steps, LazyPreviews(self.pictures, show)))
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
    config = getattr(transformer, "config", None) or {}
    patch = config.get("patch_size") or max(config.get("all_patch_size") or [1])  # the latter is Z-Image's
    return factor * patch if isinstance(patch, int) else factor


Encode = Callable[[], dict[str, Tensor]]  # the words, as arguments of a pipeline; {} where it encodes them itself


def _run(pipeline: Any, arguments: dict[str, Any], encode: Encode) -> list[Any]:
    output, states = None, [generator.get_state() for generator in arguments["generator"]]
    while output is None:
        with suppress(torch.OutOfMemoryError):  # behind it, no traceback holds what filled the memory
            output = _call(pipeline, arguments, encode)
        if output is None:
            pipelines.drop_others(pipeline)
            if not memory.step_down(pipeline):
                raise SpecError(
                    "There was not enough memory for this. Ask for fewer pictures at once, or for smaller ones."
                )
            for generator, state in zip(arguments["generator"], states, strict=True):
                generator.set_state(state)
    return _images_of(pipeline, output)


def _images_of(pipeline: Any, output: Any) -> list[Any]:
    if not hasattr(output, "images"):
        raise CheckpointError(f"A {type(pipeline).__name__} makes no still pictures, so it cannot be used here.")
    return list(output.images)


def _call(pipeline: Any, arguments: dict[str, Any], encode: Encode) -> Any:
    with torch.inference_mode():
        if encoded := encode():
            arguments = arguments | encoded | {"prompt": None, "negative_prompt": None}
        return pipeline(**arguments)


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
