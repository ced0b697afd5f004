"""The ways that draw nothing: no checkpoint is loaded for them."""

from __future__ import annotations

from time import perf_counter

from generator.diffusion import pipelines
from generator.diffusion.spec import Result, SpecError, Timings
from generator.diffusion.ways.cutout import cut_out
from generator.diffusion.ways.spec import CutoutSpec, UpscaleSpec
from generator.diffusion.ways.steps import OnStep
from generator.diffusion.ways.upscale import upscale


def retouch(spec: UpscaleSpec | CutoutSpec, on_step: OnStep | None = None) -> Result:
    """The one picture of a spec: RGB, or RGBA where some of it is clear. Its whole time counts as that of its Steps."""
    started = perf_counter()
    try:
        made = upscale(spec, on_step) if isinstance(spec, UpscaleSpec) else cut_out(spec, on_step)
    except MemoryError:
        raise SpecError("There was not enough memory for this. Take a smaller picture.") from None
    device, _dtype = pipelines.choose_device()
    return Result(
        images=(made,),
        seeds=(),
        timings=Timings(load_s=0.0, encode_s=0.0, denoise_s=perf_counter() - started, decode_s=0.0),
        device=str(device),
        dtype="float32",
        scheduler="",
    )
