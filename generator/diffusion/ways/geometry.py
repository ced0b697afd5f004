"""Where in a picture the model works, and in what size. Importable without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from generator.diffusion.spec import SIZE_MULTIPLE, ImageSpec, fit_size
from generator.diffusion.ways.spec import CutoutSpec, HiresSpec, Margins, Picture, UpscaleSpec

Spec = ImageSpec | UpscaleSpec | HiresSpec | CutoutSpec

Box = tuple[int, int, int, int]  # left, top, right, bottom
Size = tuple[int, int]  # width, height

# A model draws well up to about this many times the area of its native square; beyond it repeats itself.
MOST_AREA = 2.25
# Around a hole, so much of its sides is shown to the model at each side: it must see what to go on with.
CONTEXT = 0.5
# A tile of an upscale and what its neighbours share, in pixels of the small picture: memory goes by that.
UPSCALE_TILE, UPSCALE_OVERLAP = 192, 16
# What the tiles of a refinement share, as a part of their sides.
HIRES_OVERLAP = 0.25


@dataclass(frozen=True)
class Window:
    """A part of a picture that is worked on to fill `hole`: `box` in the picture's pixels, `size` in the model's.

    Where `is_scaled`, the part is scaled to `size`; otherwise it is filled up to it at the right and the bottom.
    """

    hole: Box
    box: Box
    size: Size
    is_scaled: bool = False


def window(within: Box, hole: Box, native: int, multiple: int = SIZE_MULTIPLE) -> Window:
    """What to work on to fill a hole in a part of a picture, for a model of that native size.

    All of the part where the model can draw as much; else the hole with what lies around it, scaled down if it must.
    """
    budget = MOST_AREA * native**2
    box = within if _area(within) <= budget else _with_context(within, hole, native)
    width, height = box[2] - box[0], box[3] - box[1]
    if width * height <= budget:
        return Window(hole, box, (_up(width, multiple), _up(height, multiple)))
    return Window(hole, box, fit_size(width, height, math.floor(math.sqrt(budget)), multiple), is_scaled=True)


def windows_around(picture: Size, margins: Margins, native: int, multiple: int = SIZE_MULTIPLE) -> list[Window]:
    """What to work on, one after the other, to extend a picture by margins: in the pixels of the extended picture.

    In one go where the model can draw as much; else side by side, from the picture outwards in steps, each of which
    sees only what is there already.
    """
    width, height = margins.around(picture)
    if width * height <= MOST_AREA * native**2:
        return [window((0, 0, width, height), (0, 0, width, height), native, multiple)]
    left, top = margins.left, margins.top
    right, bottom = left + picture[0], top + picture[1]
    # (what is worked on then, what of it is new)
    steps = [((low, top, right, bottom), (low, top, high, bottom)) for low, high in _outwards(left, 0, native)]
    steps += [((0, top, high, bottom), (low, top, high, bottom)) for low, high in _outwards(right, width, native)]
    steps += [((0, low, width, bottom), (0, low, width, high)) for low, high in _outwards(top, 0, native)]
    steps += [((0, 0, width, high), (0, low, width, high)) for low, high in _outwards(bottom, height, native)]
    return [window(within, hole, native, multiple) for within, hole in steps]


def _outwards(start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Spans (low, high) of at most `most` from start to end, which may lie below it."""
    parts = math.ceil(abs(end - start) / most)
    edges = [start + round(index * (end - start) / parts) for index in range(parts + 1)] if parts else []
    return [(min(pair), max(pair)) for pair in pairwise(edges)]


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _up(side: int, multiple: int) -> int:
    return max(multiple, math.ceil(side / multiple) * multiple)


def _with_context(within: Box, hole: Box, native: int) -> Box:
    """The hole, at least a native square and with its surroundings, as far as `within` goes."""
    spans = []
    for first, last, low, high in ((within[0], within[2], hole[0], hole[2]), (within[1], within[3], hole[1], hole[3])):
        length = min(last - first, max(native, round((high - low) * (1 + 2 * CONTEXT))))
        start = min(max(first, (low + high - length) // 2), last - length)
        spans.append((start, start + length))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom


def margins_to(size: Size, wide: float, high: float) -> Margins | None:
    """What to add so that a picture gets the proportions wide : high, evenly at both sides; None where it has them."""
    width, height = size
    across = max(0, round(height * wide / high) - width)
    down = max(0, round(width * high / wide) - height)
    if not across and not down:
        return None
    return Margins(left=across // 2, right=across - across // 2, top=down // 2, bottom=down - down // 2)


def spec_windows(spec: ImageSpec, multiple: int = SIZE_MULTIPLE) -> list[Window]:
    """What a spec with a mask or margins works on, one after the other; nothing for all others."""
    if spec.start and spec.margins:
        return windows_around(spec.start.image.size, spec.margins, spec.native, multiple)
    if spec.mask:
        return [window((0, 0, *spec.mask.image.size), hole(spec.mask.image), spec.native, multiple)]
    return []


def hole(mask: Picture) -> Box:
    """What of a mask is not black; all of it where only its outline is known."""
    find = getattr(mask, "getbbox", None)
    return (find() if find else None) or (0, 0, *mask.size)


def work(spec: Spec) -> tuple[int, int]:
    """(pixels at each step, steps) for one picture: what time and memory go by, and the Steps that will be told."""
    if isinstance(spec, UpscaleSpec):
        return UPSCALE_TILE**2, len(grid(spec.image.size, (UPSCALE_TILE, UPSCALE_TILE), UPSCALE_OVERLAP))
    if isinstance(spec, CutoutSpec):
        return math.prod(spec.image.size), 1
    if isinstance(spec, HiresSpec):
        whole, tile, shared = hires_grid(spec)
        return math.prod(tile), spec.draw.run_steps * len(grid(whole, tile, shared))
    if windows := spec_windows(spec):
        pixels = sum(math.prod(one.size) for one in windows) / len(windows)
        return round(pixels), spec.run_steps * len(windows)
    return spec.width * spec.height, spec.run_steps


def hires_grid(spec: HiresSpec) -> tuple[Size, Size, int]:
    """(size of the whole, of a tile, overlap of tiles) of a refinement. A picture that fits into a tile is one."""
    width, height = spec.draw.start.image.size if spec.draw.start else (0, 0)
    whole = (width * spec.factor, height * spec.factor)
    tile = (min(spec.draw.width, _up(whole[0], SIZE_MULTIPLE)), min(spec.draw.height, _up(whole[1], SIZE_MULTIPLE)))
    return whole, tile, round(min(spec.draw.width, spec.draw.height) * HIRES_OVERLAP)


def grid(whole: Size, tile: Size, overlap: int) -> list[Box]:
    """Tiles that cover a picture, row by row, neighbours sharing `overlap` or more. A tile may reach over its edge."""
    lefts, tops = (tiles(side, length, overlap) for side, length in zip(whole, tile, strict=True))
    return [(left, top, left + tile[0], top + tile[1]) for top in tops for left in lefts]


def tiles(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin that cover `length`, neighbours sharing `overlap` or more; one, at 0, where one is enough."""
    if length <= tile:
        return [0]
    count = math.ceil((length - overlap) / (tile - overlap))
    return [round(index * (length - tile) / (count - 1)) for index in range(count)]
