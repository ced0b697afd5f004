"""generate_together(specs, on_steps): several requests in one call of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL.Image import Image

from generator.diffusion import adapters, memory, pipelines
from generator.diffusion.sampling import Painter
from generator.diffusion.spec import Cancelled, ImageSpec, LazyPreviews, Result, Step, Timings
from generator.diffusion.ways.steps import OnStep


def generate_together(
    specs: Sequence[ImageSpec], on_steps: Sequence[OnStep], *, pipeline: DiffusionPipeline | None = None
) -> list[Result | Exception]:
    """Makes text-to-image specs at once that differ in prompt, negative prompt, seed and count only.

    Each gets its own steps with its own previews. What its `on_step` raises drops that one: it is told nothing more,
    its pictures are dropped, and the exception stands in place of its result; once all are dropped the run ends. A
    picture is the same as from `generate` as far as the device's arithmetic does not depend on the size of a batch. The
    timings are those of the whole call. Raises ValueError for specs that differ in more, Apart where this device or
    these prompts allow no common call, else as `generate`.
    """
    lead = specs[0]
    is_plain = not (lead.start or lead.variation or lead.structure or lead.reference)
    if not is_plain or any(_differ(lead, spec) for spec in specs):
        raise ValueError("only text-to-image specs that differ in words, seed and count can be made together")
    started = perf_counter()
    if pipeline is None:
        pipeline = pipelines.load(lead.checkpoint)
    adapters.wear(pipeline, lead.adapters)
    painter = Painter(pipeline, lead.scheduler, {})
    loaded = perf_counter()
    dropped: dict[int, Exception] = {}
    slots = _slots(specs)

    def on_step(step: Step) -> None:
        for number, (slot, tell) in enumerate(zip(slots, on_steps, strict=True)):
            if number not in dropped:
                previews = LazyPreviews(slot.stop - slot.start, partial(_part, step.previews, slot))
                try:
                    tell(Step(step.index, step.total, previews))
                except Exception as reason:
                    dropped[number] = reason
        if len(dropped) == len(specs):
            raise Cancelled

    try:
        images = painter.together(specs, on_step)
    except Cancelled:
        return [dropped[number] for number in range(len(specs))]
    timings = Timings(load_s=loaded - started, **painter.spent)
    return [
        dropped.get(number)
        or Result(
            images=tuple(one.convert("RGB") for one in images[slot]),
            seeds=spec.seeds,
            timings=timings,
            device=str(pipeline.device),
            dtype=pipelines.name_dtype(pipeline.dtype),
            scheduler=painter.scheduler_name,
            plan=str(memory.plan_of(pipeline)),
        )
        for number, (spec, slot) in enumerate(zip(specs, slots, strict=True))
    ]


def _differ(one: ImageSpec, other: ImageSpec) -> bool:
    """In more than words, seed and count. Some families need another call where there is any negative prompt."""
    words = replace(other, prompt=one.prompt, negative_prompt=one.negative_prompt, seed=one.seed, count=one.count)
    return words != one or bool(one.negative_prompt) != bool(other.negative_prompt)


def _part(previews: Sequence[Image], slot: slice) -> Sequence[Image]:
    return previews[slot]


def _slots(specs: Sequence[ImageSpec]) -> list[slice]:
    """Where the pictures of each stand among all."""
    ends = [sum(spec.count for spec in specs[: number + 1]) for number in range(len(specs))]
    return [slice(end - spec.count, end) for end, spec in zip(ends, specs, strict=True)]
