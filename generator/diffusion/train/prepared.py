"""What a fine-tuning trains on, made once and kept: class pictures by the model itself, and the latents of all views.

One picture at a time, so that a slice can end after any of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from generator.diffusion.sampling import generate
from generator.diffusion.spec import ImageSpec, Step
from generator.diffusion.train import buckets, data, families
from generator.diffusion.train.cache import to_tensor
from generator.diffusion.train.families import Pipeline
from generator.diffusion.train.spec import FinetuneSpec

Shape = tuple[int, int]
FACTS = "data.json"


@dataclass(frozen=True)
class Group:
    """Views of one shape: mean and deviation of their latents [N, C, h, w], sizes [N, 6] as SDXL takes them, and the
    numbers of their captions [N]."""

    mean: Tensor
    deviation: Tensor
    at: Tensor
    captions: Tensor

    def __len__(self) -> int:
        return len(self.mean)


@dataclass(frozen=True)
class Prepared:
    """groups: what is trained on, one a shape. held_out: one view of each picture that is not. prior: class pictures by
    shape. captions: all texts; the last is the empty one. pictures: the training pictures' middles, RGB."""

    groups: dict[Shape, Group]
    held_out: dict[Shape, Group]
    prior: dict[Shape, Group]
    captions: tuple[str, ...]
    data_hash: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Where preparing happens. tell(step) passes a Step on; may_stop() ends the slice here if its time is over."""

    spec: FinetuneSpec
    pipeline: Pipeline
    folder: Path
    tell: Callable[[Step], None]
    may_stop: Callable[[], None]


def prepare(stage: Stage) -> Prepared:
    """Makes what is missing in `folder`, and reads all of it. Raises data.DataError."""
    spec = stage.spec
    examples = data.read_folder(Path(spec.pictures))
    told = [spec.caption(example.caption) for example in examples]
    captions = [*dict.fromkeys(told), *(spec.priors if spec.has_prior else ()), ""]
    _forget_others(stage, [(example.name, text) for example, text in zip(examples, told, strict=True)])
    facts = _facts(stage.folder / FACTS, examples, spec)
    shapes = [(int(height), int(width)) for height, width in facts["shapes"]]
    if spec.has_prior:
        _draw_class(stage, shapes)
    for number, example in enumerate(examples):
        _encode(stage, f"{number:04d}", partial(_views, spec, example, shapes[number], number))
    rows = [_read(stage.folder, f"{number:04d}") for number in range(len(examples))]
    numbers = [captions.index(text) for text in told]
    prior: dict[Shape, Group] = {}
    if spec.has_prior:
        made = _class_shapes(shapes, spec.prior_pictures)
        drawn = [_read(stage.folder, _class_name(number, shape)) for number, shape in made]
        prior = _group(
            drawn,
            [shape for _, shape in made],
            [captions.index(spec.prior_prompt(number)) for number, _ in made],
            slice(None),
        )
    return Prepared(
        groups=_group(rows, shapes, numbers, slice(None, -1)),
        held_out=_group(rows, shapes, numbers, slice(-1, None)),
        prior=prior,
        captions=tuple(captions),
        data_hash=str(facts["hash"]),
        names=tuple(example.name for example in examples),
    )


def training_pictures(spec: FinetuneSpec) -> list[Image.Image]:
    """The training pictures as they are, RGB."""
    return [example.open_picture() for example in data.read_folder(Path(spec.pictures))]


def _forget_others(stage: Stage, told: list[tuple[str, str]]) -> None:
    """What was made of other pictures, or otherwise, is made anew."""
    spec = stage.spec
    said = [told, spec.checkpoint, spec.size, spec.views, spec.is_flipped, spec.is_bucketed, spec.seed]
    said += [spec.priors, spec.prior_pictures, spec.prior_guidance] if spec.has_prior else []
    key = sha256(json.dumps(said).encode()).hexdigest()
    marker = stage.folder / "key"
    if marker.is_file() and marker.read_text() == key:
        return
    shutil.rmtree(stage.folder, ignore_errors=True)
    stage.folder.mkdir(parents=True)
    marker.write_text(key)


def _facts(file: Path, examples: list[data.Example], spec: FinetuneSpec) -> dict:
    """Hash and shapes of the pictures, which need each to be opened: only once."""
    try:
        facts: dict = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        digest, shapes = sha256(), []
        for example in examples:
            picture = example.open_picture()
            digest.update(json.dumps([picture.size, example.caption]).encode() + picture.tobytes())
            shapes.append(buckets.choose(picture.size, spec.size, spec.is_bucketed))
        facts = {"hash": digest.hexdigest(), "shapes": shapes}
        file.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _class_shapes(shapes: list[Shape], count: int) -> list[tuple[int, Shape]]:
    """Which of `count` class pictures is cropped to which shape: each shape has some, since they stand in one batch
    with the training pictures, and each picture has one at least."""
    different = sorted(set(shapes))
    pairs = {(number, different[number % len(different)]) for number in range(count)}
    pairs |= {(place % count, shape) for place, shape in enumerate(different)}
    return sorted(pairs)


def _class_name(number: int, shape: Shape) -> str:
    return f"class-{number:04d}-{shape[0]}x{shape[1]}"


def _draw_class(stage: Stage, shapes: list[Shape]) -> None:
    """The model's own pictures of the kind of thing, before it learns: Ruiz et al. 2022, section 3.3."""
    spec, total = stage.spec, stage.spec.total
    for number in range(spec.prior_pictures):
        file = stage.folder / f"class-{number:04d}.png"
        if file.is_file():
            continue
        wanted = ImageSpec(
            checkpoint=spec.checkpoint,
            prompt=spec.prior_prompt(number),
            width=spec.size,
            height=spec.size,
            steps=spec.sample_steps,
            guidance=spec.prior_guidance,
            seed=spec.seed + number,
        )
        drawn = generate(wanted, partial(_tell, stage, number), pipeline=stage.pipeline)
        _keep(file, drawn.images[0])
        stage.tell(Step(number + 1, total, drawn.images))
        stage.may_stop()
    for number, shape in _class_shapes(shapes, spec.prior_pictures):
        drawn_file = stage.folder / f"class-{number:04d}.png"
        _encode(stage, _class_name(number, shape), partial(_square, drawn_file, shape))


def _tell(stage: Stage, number: int, step: Step) -> None:
    stage.tell(Step(number, stage.spec.total, step.previews))


def _square(file: Path, shape: Shape) -> list[buckets.View]:
    return [buckets.square(data.open_rgb(file, file.name), shape)]


def _views(spec: FinetuneSpec, example: data.Example, shape: Shape, number: int) -> list[buckets.View]:
    return buckets.crops(example.open_picture(), shape, spec.views + 1, spec.seed + number, is_flipped=spec.is_flipped)


def _encode(stage: Stage, name: str, views: Callable[[], list[buckets.View]]) -> None:
    """Latents of one picture's views into a file of their own, whole or not at all."""
    file = stage.folder / f"{name}.safetensors"
    if file.is_file():
        return
    some = views()
    parts = [families.moments(stage.pipeline, to_tensor([view.pixels])) for view in some]
    mean, deviation = (torch.cat(part).contiguous() for part in zip(*parts, strict=True))
    fresh = file.with_suffix(".new")
    save_file(
        {"mean": mean, "deviation": deviation, "at": torch.tensor([families.sizes(view) for view in some])}, fresh
    )
    fresh.rename(file)
    stage.tell(Step(stage.spec.total - stage.spec.steps, stage.spec.total, ()))
    stage.may_stop()


def _read(folder: Path, name: str) -> dict[str, Tensor]:
    return load_file(folder / f"{name}.safetensors")


def _group(rows: list[dict[str, Tensor]], shapes: list[Shape], captions: list[int], which: slice) -> dict[Shape, Group]:
    groups = {}
    for shape in sorted(set(shapes)):
        chosen = [
            ({name: tensor[which] for name, tensor in row.items()}, caption)
            for row, own, caption in zip(rows, shapes, captions, strict=True)
            if own == shape
        ]
        numbers = torch.tensor([caption for row, caption in chosen for _view in row["mean"]])
        tensors = {name: torch.cat([row[name] for row, _caption in chosen]) for name in ("mean", "deviation", "at")}
        groups[shape] = Group(**tensors, captions=numbers)
    return groups


def _keep(file: Path, picture: Image.Image) -> None:
    fresh = file.with_suffix(".new")
    picture.save(fresh, format="PNG")
    fresh.rename(file)
