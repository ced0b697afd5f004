"""Pictures of any shape in few shapes: each is scaled to the bucket whose aspect is nearest, and cropped in some ways.

Buckets by aspect: NovelAI 2022, "Improvements on Stable Diffusion"; their list is diffusers' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from diffusers.training_utils import find_nearest_bucket, generate_aspect_ratio_buckets
from PIL import Image, ImageOps

from generator.diffusion.train.data import in_order

MAX_ZOOM = 1.15  # of a view that is no whole picture: much more would cut the subject
LARGE = 512  # from this size on, sides are multiples of 64 pixels: every UNet halves latents three times


@dataclass(frozen=True)
class View:
    """One crop of a picture: RGB pixels [H, W, 3] uint8.

    original, corner: size of the whole picture and place of the crop, (height, width) and (top, left), at the scale
    that it was cropped at: what SDXL is told (Podell et al. 2023, arXiv:2307.01952, section 2.2).
    """

    pixels: np.ndarray
    original: tuple[int, int]
    corner: tuple[int, int]


def choose(size: tuple[int, int], edge: int, is_bucketed: bool) -> tuple[int, int]:
    """(height, width) that a picture of `size` (width, height) is trained at, about edge x edge in area."""
    step = 64 if edge >= LARGE else 16 if edge % 16 == 0 else 8
    if not is_bucketed:
        return edge, edge
    shapes: list[tuple[int, int]] = generate_aspect_ratio_buckets(edge, step)
    shapes[0] = (edge, edge)  # rounding must not change what the model draws best
    place = find_nearest_bucket(size[1], size[0], shapes)
    assert place is not None
    return shapes[place]


def crops(picture: Image.Image, shape: tuple[int, int], count: int, seed: int, *, is_flipped: bool) -> list[View]:
    """`count` views of a picture, height x width = shape: first its middle, then zooms into it, drawn by `seed`.

    With `is_flipped`, every other one is mirrored. The last is made in the same way as the rest.
    """
    rng = np.random.default_rng(seed)
    views = []
    for number in range(count):
        zoom, across, down = (1.0, 0.5, 0.5) if number == 0 else (rng.uniform(1, MAX_ZOOM), rng.random(), rng.random())
        view = _crop(picture, shape, zoom, across, down)
        if is_flipped and number % 2:
            view = View(np.ascontiguousarray(view.pixels[:, ::-1]), view.original, view.corner)
        views.append(view)
    return views


def _crop(picture: Image.Image, shape: tuple[int, int], zoom: float, across: float, down: float) -> View:
    height, width = shape
    scale = zoom * max(height / picture.height, width / picture.width)
    tall, wide = max(height, round(picture.height * scale)), max(width, round(picture.width * scale))
    top, left = round((tall - height) * down), round((wide - width) * across)
    box = tuple(side / scale for side in (left, top, left + width, top + height))
    box = (box[0], box[1], min(box[2], picture.width), min(box[3], picture.height))
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS, box=box))
    return View(pixels, (tall, wide), (top, left))


def square(picture: Image.Image, shape: tuple[int, int]) -> View:
    """The middle of a picture, for class pictures."""
    return View(np.asarray(ImageOps.fit(picture, shape[::-1], Image.Resampling.LANCZOS)), shape, (0, 0))


def batch_of(index: int, batch: int, groups: list[np.ndarray], seed: int) -> np.ndarray:
    """The rows of micro-batch `index`, all of one group, when every group is gone through; a pure function of its
    arguments, so that a resumed run goes on as an undisturbed one.

    groups: rows of one shape each. A group's last batch of a round is filled up from its next round.
    """
    sizes = [-(-len(group) // batch) for group in groups]
    turn = index // sum(sizes)
    number = int(in_order(index, 1, sum(sizes), seed)[0])
    for group, size in zip(groups, sizes, strict=True):
        if number < size:
            return group[in_order(turn * size + number, batch, len(group), seed + 1)]
        number -= size
    raise AssertionError("The number lies in one of the groups.")
