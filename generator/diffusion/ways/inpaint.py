"""Making a part of a picture anew: what is white in a mask, or what is added around the picture.

Outside of the white every pixel of the result is the picture's own, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from PIL import Image

from generator.diffusion.spec import ImageSpec
from generator.diffusion.ways import geometry, outpaint
from generator.diffusion.ways.image import flatten
from generator.diffusion.ways.spec import Mask, Outline, Start
from generator.diffusion.ways.steps import OnStep, in_part


class Draw(Protocol):
    """One call of a pipeline: the pictures of a spec, from `starts` (one each) where it has a start."""

    size_multiple: int

    def __call__(
        self, spec: ImageSpec, on_step: OnStep | None, starts: Sequence[Image.Image] | None = None
    ) -> list[Image.Image]: ...


def fill(spec: ImageSpec, draw: Draw, on_step: OnStep | None) -> list[Image.Image]:
    """The pictures of a spec with a mask or margins, RGB, window after window."""
    canvas, mask = _canvas(spec)
    pictures = [canvas] * spec.count
    windows = geometry.spec_windows(spec, draw.size_multiple)
    for index, window in enumerate(windows):
        hole = _only(mask, window.hole)
        part = _spec_of(spec, window, _cut(hole, window))
        tell = in_part(on_step, index, len(windows), spec.run_steps, partial(_lay, pictures, window))
        drawn = draw(part, tell, [_cut(picture, window) for picture in pictures])
        alpha = feathered(hole, spec.mask.feather if spec.mask else outpaint.feather(window))
        laid = _lay(pictures, window, drawn)
        pictures = [composite(picture, image, alpha) for picture, image in zip(pictures, laid, strict=True)]
    return pictures


def _lay(pictures: Sequence[Image.Image], window: geometry.Window, drawn: Sequence[Image.Image]) -> list[Image.Image]:
    return [_laid(picture, image, window) for picture, image in zip(pictures, drawn, strict=True)]


def _canvas(spec: ImageSpec) -> tuple[Image.Image, Image.Image]:
    """The picture as large as the result, and the mask of what is to be made anew."""
    assert spec.start is not None
    image = flatten(_image(spec.start.image))
    if spec.margins:
        return outpaint.canvas(image, spec.margins)
    assert spec.mask is not None
    return image, _image(spec.mask.image).convert("L")


def _image(picture: Any) -> Image.Image:
    assert isinstance(picture, Image.Image), "only a spec's pixels can be drawn on, not outlines"
    return picture


def _spec_of(spec: ImageSpec, window: geometry.Window, mask: Image.Image) -> ImageSpec:
    """A spec for one window: a picture of just its size, and a mask of what is to be made anew in it."""
    assert spec.start is not None
    width, height = window.size
    start = Start(image=Outline(window.size), strength=spec.start.strength)
    return replace(spec, width=width, height=height, start=start, mask=Mask(image=mask, feather=0), margins=None)


def _only(mask: Image.Image, box: geometry.Box) -> Image.Image:
    """The mask within a box, black elsewhere."""
    only = Image.new("L", mask.size)
    only.paste(mask.crop(box), box[:2])
    return only


def _cut(picture: Image.Image, window: geometry.Window) -> Image.Image:
    """A window's part of a picture (or mask) in the model's size."""
    part = picture.crop(window.box)
    if window.is_scaled:
        return part.resize(window.size, Image.Resampling.LANCZOS if part.mode != "L" else Image.Resampling.BOX)
    right, bottom = (more - side for more, side in zip(window.size, part.size, strict=True))
    pixels = np.asarray(part)
    padding = ((0, bottom), (0, right)) + ((0, 0),) * (pixels.ndim - 2)
    # A mask gets black there: what is filled up is thrown away.
    return Image.fromarray(np.pad(pixels, padding, mode="edge" if part.mode != "L" else "constant"))


def _laid(picture: Image.Image, drawn: Image.Image, window: geometry.Window) -> Image.Image:
    """`picture` with what was drawn (or a smaller preview of it) in the place of the window."""
    left, top, right, bottom = window.box
    if window.is_scaled:
        size = (right - left, bottom - top)
        part = drawn.resize(size, Image.Resampling.LANCZOS)
    else:
        whole = drawn if drawn.size == window.size else drawn.resize(window.size, Image.Resampling.BICUBIC)
        part = whole.crop((0, 0, right - left, bottom - top))
    laid = picture.copy()
    laid.paste(part, (left, top))
    return laid


def composite(kept: Image.Image, drawn: Image.Image, alpha: np.ndarray) -> Image.Image:
    """`drawn` over `kept` by alpha [H, W] in 0..1; where that is 0, the very bytes of `kept`."""
    under, over = (np.asarray(image, np.float32) for image in (kept, drawn))
    mixed = np.rint(under + alpha[..., None] * (over - under)).astype(np.uint8)
    return Image.fromarray(np.where(alpha[..., None] > 0, mixed, np.asarray(kept)))


def feathered(mask: Image.Image, feather: int) -> np.ndarray:
    """[H, W] in 0..1: the mask, fading to its edge over `feather` pixels within it, and 0 outside of it.

    Where the mask is narrower than that it fades over what there is, so that a thin stroke is not lost.
    """
    values = np.asarray(mask.convert("L"), np.float32) / 255
    if not feather:
        return values
    depth = distances(values > 0)
    deepest = _widest(depth, feather)
    return values * np.minimum(1.0, depth / np.maximum(1.0, np.minimum(feather + 1, deepest)))


def distances(inside: np.ndarray) -> np.ndarray:
    """[H, W]: from each pixel inside to the nearest outside, along rows and columns; the picture's edge is none."""
    far = float(sum(inside.shape))
    depth = np.where(inside, np.float32(far), np.float32(0))
    for lines in (depth, depth[::-1], depth.T, depth.T[::-1]):
        for before, line in pairwise(lines):
            np.minimum(line, before + 1, out=line)
    return depth


def _widest(depth: np.ndarray, reach: int) -> np.ndarray:
    """The greatest depth around each pixel."""
    values = torch.from_numpy(np.ascontiguousarray(depth))[None, None]
    size = 2 * reach + 1
    values = F.max_pool2d(values, (size, 1), 1, (reach, 0))
    return F.max_pool2d(values, (1, size), 1, (0, reach))[0, 0].numpy()
