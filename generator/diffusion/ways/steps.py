"""Steps of a way that calls a pipeline several times: counted through, with previews of the whole picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from generator.diffusion.spec import LazyPreviews, Step

OnStep = Callable[[Step], object]
Show = Callable[[Sequence[Image.Image]], Sequence[Image.Image]]


def in_part(on_step: OnStep | None, part: int, parts: int, steps: int, show: Show) -> OnStep | None:
    """`on_step` for part number `part` (from 0) of `parts`, each of `steps` steps; `show` lays its previews out."""
    if on_step is None:
        return None

    def tell(step: Step) -> None:
        previews = LazyPreviews(len(step.previews), lambda: show(step.previews))
        on_step(Step(part * steps + step.index, parts * steps, previews))

    return tell
